/// Text with variables in Compose's syntax: `$NAME`, `${NAME}`, and `$$` for a dollar sign. A `$`
/// before anything else is a dollar sign too.
///
/// An operator and a word may follow the name, as in `${NAME:-word}`. The operators are `:-` `-` `:?` `?` `:+` `+`. The
/// word may contain variables.
struct Template {
  indirect enum Part {
    case text(String)
    case variable(Variable)
  }

  struct Variable {
    enum Form: Hashable { case plain, fallback, required, alternate }

    var name: String
    var form = Form.plain
    /// True for an operator with a colon: an empty value then counts as unset.
    var treatsEmptyAsUnset = false
    var word: [Part] = []
    /// The word before expansion.
    var wordText = ""
    /// The position in the whole text, in bytes.
    var range: Range<Int>
  }

  struct Problem: Error {
    var words: String
    var range: Range<Int>
    var help: String
  }

  let parts: [Part]

  private static let depthLimit = 50

  init(_ text: String) throws(Problem) {
    var parser = Parser(bytes: Array(text.utf8))
    parts = try parser.parts(until: nil, depth: 0)
  }

  private struct Parser {
    let bytes: [UInt8]
    var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    /// Reads to the end of the text, or up to the brace that ends a word. Leaves the brace unread.
    mutating func parts(until end: UInt8?, depth: Int) throws(Problem) -> [Part] {
      var parts: [Part] = []
      var text: [UInt8] = []
      func flush() { if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) } }
      while let byte = next, byte != end {
        guard byte == UInt8(ascii: "$") else {
          text.append(byte)
          place += 1
          continue
        }
        let following = place + 1 < bytes.count ? bytes[place + 1] : 0
        if following == UInt8(ascii: "$") {
          text.append(byte)
          place += 2
          continue
        }
        // A sign that begins no variable is itself, as in `$(cmd)` and in hashes of passwords.
        guard following == UInt8(ascii: "{") || Self.isNameByte(following) else {
          text.append(byte)
          place += 1
          continue
        }
        flush()
        text = []
        parts.append(.variable(try variable(depth: depth)))
      }
      flush()
      return parts
    }

    private mutating func variable(depth: Int) throws(Problem) -> Variable {
      let start = place
      let help = "write $$ for a dollar sign"
      guard depth < Template.depthLimit else {
        throw Problem(words: "variables are nested too deeply", range: start..<place + 1, help: help)
      }
      place += 1
      guard next == UInt8(ascii: "{") else {
        let name = takeName()
        return Variable(name: name, range: start..<place)
      }
      place += 1
      let name = takeName()
      guard !name.isEmpty else {
        throw Problem(words: "the ${ is not followed by a variable's name", range: start..<place, help: help)
      }
      var variable = Variable(name: name, range: start..<place)
      try readWord(of: &variable, start: start, depth: depth)
      guard next == UInt8(ascii: "}") else {
        throw Problem(words: "the ${ has no closing brace", range: start..<start + 2, help: help)
      }
      place += 1
      variable.range = start..<place
      return variable
    }

    private mutating func readWord(of variable: inout Variable, start: Int, depth: Int) throws(Problem) {
      let operation = place
      if next == UInt8(ascii: ":") {
        variable.treatsEmptyAsUnset = true
        place += 1
      }
      switch next {
      case UInt8(ascii: "-"): variable.form = .fallback
      case UInt8(ascii: "?"): variable.form = .required
      case UInt8(ascii: "+"): variable.form = .alternate
      case UInt8(ascii: "}") where operation == place: return
      case nil: return
      default:
        throw Problem(
          words: "a variable's name is followed by something unknown", range: operation..<operation + 1,
          help: "after the name comes } or one of :- - :? ? :+ +")
      }
      place += 1
      let wordStart = place
      variable.word = try parts(until: UInt8(ascii: "}"), depth: depth + 1)
      variable.wordText = String(decoding: bytes[wordStart..<place], as: UTF8.self)
    }

    /// True for a letter and for `_`, with which a name begins.
    private static func isNameByte(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
      default: false
      }
    }

    /// `[A-Za-z_][A-Za-z0-9_]*`
    private mutating func takeName() -> String {
      let start = place
      while let byte = next, Self.isNameByte(byte) || place > start && (0x30...0x39).contains(byte) { place += 1 }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }
  }
}

extension Template {
  /// The result of expanding a template.
  struct Outcome {
    var text = ""
    /// Bytes that variables have brought. Beyond ``sizeLimit`` the rest of the text is left out.
    var size = 0
    /// Variables without a value that are expanded to nothing.
    var unset: [Variable] = []
    /// The first required variable without a value, and the message that the file gives for it.
    var missing: (variable: Variable, message: String)?
  }

  /// The most that variables may bring. They multiply what aliases and other variables have multiplied.
  static let sizeLimit = 64 << 20

  func expanded(_ lookup: (String) -> String?) -> Outcome {
    var outcome = Outcome()
    outcome.text = Self.expand(parts, lookup, &outcome)
    return outcome
  }

  private static func expand(_ parts: [Part], _ lookup: (String) -> String?, _ outcome: inout Outcome) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .variable(let variable):
        guard outcome.size <= sizeLimit else { return text }
        let value = value(of: variable, lookup, &outcome)
        outcome.size += value.utf8.count
        text += value
      }
    }
    return text
  }

  private static func value(
    of variable: Variable, _ lookup: (String) -> String?, _ outcome: inout Outcome
  ) -> String {
    let value = lookup(variable.name)
    let isSet = value.map { !(variable.treatsEmptyAsUnset && $0.isEmpty) } ?? false
    switch variable.form {
    case .plain:
      if value == nil { outcome.unset.append(variable) }
      return value ?? ""
    case .fallback:
      return isSet ? value ?? "" : expand(variable.word, lookup, &outcome)
    case .alternate:
      return isSet ? expand(variable.word, lookup, &outcome) : ""
    case .required:
      guard !isSet else { return value ?? "" }
      let message = expand(variable.word, lookup, &outcome)
      if outcome.missing == nil { outcome.missing = (variable, message) }
      return ""
    }
  }

  /// All variables, including those in the words of others.
  var uses: [VariableUse] {
    func uses(_ parts: [Part]) -> [VariableUse] {
      parts.flatMap { part -> [VariableUse] in
        guard case .variable(let variable) = part else { return [] }
        var use = VariableUse(name: variable.name, isRequired: variable.form == .required)
        if variable.form == .fallback { use.defaultValue = variable.wordText }
        if variable.form == .alternate { use.alternateValue = variable.wordText }
        return [use] + uses(variable.word)
      }
    }
    return uses(parts)
  }
}
