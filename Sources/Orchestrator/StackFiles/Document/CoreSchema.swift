/// The values of plain scalars in YAML 1.2's core schema (section 10.3.2): `yes` and `0755` differ from YAML 1.1.
enum CoreSchema {
  enum Value: Hashable {
    case null
    case bool(Bool)
    /// Nil: an integer, but none that fits.
    case int(Int?)
    case float
    case text
  }

  static func isNull(_ scalar: Node.Scalar) -> Bool {
    guard scalar.isPlain, scalar.text.utf8.count <= 4 else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.text)
  }

  static func value(of scalar: Node.Scalar) -> Value {
    guard scalar.isPlain else { return .text }
    if isNull(scalar) { return .null }
    let text = scalar.text
    switch text {
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    // Numbers begin with a digit, a sign or a point: most text is known by its first byte.
    guard let first = text.utf8.first, first < UInt8(ascii: ":") else { return .text }
    if let integer = integer(text) { return integer }
    return isFloat(text) ? .float : .text
  }

  /// `[-+]?[0-9]+`, `0o[0-7]+`, `0x[0-9a-fA-F]+`
  private static func integer(_ text: String) -> Value? {
    func digits(_ text: Substring, _ radix: Int) -> Value? {
      guard !text.isEmpty,
        text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).hexDigitValue.map { $0 < radix } ?? false })
      else { return nil }
      return .int(Int(text, radix: radix))
    }
    if text.hasPrefix("0o") { return digits(text.dropFirst(2), 8) }
    if text.hasPrefix("0x") { return digits(text.dropFirst(2), 16) }
    let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard digits(unsigned, 10) != nil else { return nil }
    return .int(Int(text))
  }

  /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, `.inf`, `.nan`
  private static func isFloat(_ text: String) -> Bool {
    var rest = Substring(text)
    func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
    if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
    if [".inf", ".Inf", ".INF"].contains(rest) || [".nan", ".NaN", ".NAN"].contains(text) { return true }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction: Substring = ""
    if rest.first == "." {
      rest.removeFirst()
      fraction = rest.prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return false }
    if rest.first == "e" || rest.first == "E" {
      rest.removeFirst()
      if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
      guard !rest.isEmpty else { return false }
      rest = rest.drop(while: isDigit)
    }
    return rest.isEmpty
  }
}
