/// A pattern of paths: `*` and `?` stop at `/`, `[a-c]` is one character, `**` is any number of folders.
///
/// Source: Go's path/filepath.Match, and moby/patternmatcher for `**`. Paths are bytes, since names need not be text.
package struct PathPattern: Sendable, Hashable {
  fileprivate enum Part: Sendable, Hashable {
    case byte(UInt8)
    /// `?`
    case one
    /// `*`
    case any
    /// `[…]`
    case range([ClosedRange<UInt32>], isNegated: Bool)
    /// `**` with something behind it: no folder, or several, each with its `/`.
    case folders
    /// `**` at the end.
    case rest
  }

  /// Why a text is no pattern.
  package enum Problem: Error, Sendable, Hashable {
    case openBracket
    case badRange
    case openEscape
  }

  private let parts: [Part]
  /// The bytes that each match begins with.
  private let head: [UInt8]
  /// `**` followed by bytes alone: each path that ends so matches.
  private let tail: [UInt8]?

  /// - Parameters:
  ///   - text: Without `.`, `..` and repeated `/`.
  ///   - takesFolders: True if `**` has its own meaning. Otherwise it is two `*`.
  package init(_ text: [UInt8], takesFolders: Bool) throws(Problem) {
    var parser = Parser(text: text, takesFolders: takesFolders)
    parts = try parser.parse()
    head = Self.bytes(parts.prefix { if case .byte = $0 { true } else { false } })
    let isTail =
      takesFolders && text.starts(with: "**".utf8) && !text.dropFirst(2).contains { "*?[\\".utf8.contains($0) }
    tail = isTail ? Array(text.dropFirst(2)) : nil
  }

  private static func bytes(_ parts: some Sequence<Part>) -> [UInt8] {
    parts.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }
  }

  /// True if the pattern is a path and nothing else.
  package var isLiteral: Bool { head.count == parts.count }

  /// The pattern's path up to its first sign that is not itself.
  package var literalHead: [UInt8] { head }

  package func matches(_ path: some RandomAccessCollection<UInt8>) -> Bool {
    let path = Array(path)
    if let tail { return matchesTail(tail, path) }
    guard path.starts(with: head) else { return false }
    if isLiteral { return path.count == head.count }
    return matchesParts(path)
  }

  /// `**/name` also is `name`, and `**name` whatever ends in it.
  private func matchesTail(_ tail: [UInt8], _ path: [UInt8]) -> Bool {
    if tail.isEmpty || path.count >= tail.count && path[(path.count - tail.count)...].elementsEqual(tail) {
      return true
    }
    return tail.first == UInt8(ascii: "/") && path.elementsEqual(tail.dropFirst())
  }

  /// Follows all ways at once, so that the time is that of the pattern times the path.
  private func matchesParts(_ path: [UInt8]) -> Bool {
    var reached = [Bool](repeating: false, count: path.count + 1)
    reached[head.count] = true
    for part in parts.dropFirst(head.count) {
      var next = [Bool](repeating: false, count: path.count + 1)
      var isReached = false
      var isInside = false
      for place in 0...path.count {
        switch part {
        case .byte(let byte):
          if reached[place], place < path.count, path[place] == byte { next[place + 1] = true }
        case .one:
          if reached[place], let end = Self.character(path, place)?.end, path[place] != UInt8(ascii: "/") {
            next[end] = true
          }
        case .range(let ranges, let isNegated):
          if reached[place], let (scalar, end) = Self.character(path, place),
            ranges.contains(where: { $0.contains(scalar) }) != isNegated
          {
            next[end] = true
          }
        case .any:
          isInside = (isInside && path[place - 1] != UInt8(ascii: "/")) || reached[place]
          if isInside { next[place] = true }
        case .folders:
          if reached[place] || isInside && path[place - 1] == UInt8(ascii: "/") { next[place] = true }
          isInside = isInside || reached[place]
        case .rest:
          isInside = isInside || reached[place]
          if isInside { next[place] = true }
        }
        isReached = isReached || next[place]
      }
      guard isReached || next.contains(true) else { return false }
      reached = next
    }
    return reached[path.count]
  }

  /// The character at a place and where it ends. A byte that is no UTF-8 is one of its own.
  private static func character(_ path: [UInt8], _ place: Int) -> (scalar: UInt32, end: Int)? {
    guard place < path.count else { return nil }
    guard path[place] >= 0x80 else { return (UInt32(path[place]), place + 1) }
    var decoder = UTF8()
    var bytes = path[place..<min(path.count, place + 4)].makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return (0xFFFD, place + 1) }
    return (scalar.value, place + UTF8.width(scalar))
  }
}

extension PathPattern {
  /// Reads a pattern's text.
  private struct Parser {
    let text: [UInt8]
    let takesFolders: Bool
    var place = 0
    var parts: [Part] = []

    init(text: [UInt8], takesFolders: Bool) { (self.text, self.takesFolders) = (text, takesFolders) }

    mutating func parse() throws(Problem) -> [Part] {
      while let byte = next() {
        switch byte {
        case UInt8(ascii: "*"): addStar()
        case UInt8(ascii: "?"): parts.append(.one)
        case UInt8(ascii: "["): parts.append(try range())
        case UInt8(ascii: "\\"):
          guard let escaped = next() else { throw .openEscape }
          parts.append(.byte(escaped))
        default: parts.append(.byte(byte))
        }
      }
      return parts
    }

    private mutating func next() -> UInt8? {
      guard place < text.count else { return nil }
      place += 1
      return text[place - 1]
    }

    private var peek: UInt8? { place < text.count ? text[place] : nil }

    private mutating func addStar() {
      guard takesFolders, peek == UInt8(ascii: "*") else { return parts.append(.any) }
      place += 1
      if peek == UInt8(ascii: "/") { place += 1 }
      parts.append(peek == nil ? .rest : .folders)
    }

    private mutating func range() throws(Problem) -> Part {
      var ranges: [ClosedRange<UInt32>] = []
      let isNegated = peek == UInt8(ascii: "^")
      if isNegated { place += 1 }
      while true {
        guard peek != nil else { throw .openBracket }
        if peek == UInt8(ascii: "]"), !ranges.isEmpty {
          place += 1
          return .range(ranges, isNegated: isNegated)
        }
        let low = try rangeEnd()
        var high = low
        if peek == UInt8(ascii: "-") {
          place += 1
          high = try rangeEnd()
        }
        guard low <= high else { throw .badRange }
        ranges.append(low...high)
      }
    }

    private mutating func rangeEnd() throws(Problem) -> UInt32 {
      guard let byte = peek else { throw .openBracket }
      guard byte != UInt8(ascii: "-"), byte != UInt8(ascii: "]") else { throw .badRange }
      if byte == UInt8(ascii: "\\") { place += 1 }
      guard let (scalar, end) = PathPattern.character(text, place) else { throw .openBracket }
      place = end
      return scalar
    }
  }
}
