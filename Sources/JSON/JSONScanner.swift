/// Finds the nodes of a text. It recurses nowhere, so that no text exhausts the stack.
struct JSONScanner {
  static let maximumDepth = 512

  private let bytes: [UInt8]
  private var place = 0
  private var nodes: [JSONNode] = []
  /// The objects and lists around the place, outermost first.
  private var open: [Int] = []

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    nodes.reserveCapacity(bytes.count / 8)
  }

  static func scan(_ bytes: [UInt8]) throws(JSONFault) -> [JSONNode] {
    guard bytes.count < Int(UInt32.max) else { throw JSONFault(reason: .size, place: bytes.count) }
    var scanner = JSONScanner(bytes)
    try scanner.scan()
    return scanner.nodes
  }

  private mutating func scan() throws(JSONFault) {
    try scanValue()
    while let container = open.last {
      let isObject = nodes[container].kind == .object
      let isFirst = nodes.count == container + 1
      let byte = try nextVisible()
      if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        place += 1
        open.removeLast()
        nodes[container].after = UInt32(truncatingIfNeeded: nodes.count)
        continue
      }
      if !isFirst { try take(UInt8(ascii: ",")) }
      if isObject {
        guard try nextVisible() == UInt8(ascii: "\"") else { throw fault(.unexpected) }
        try scanText()
        try take(UInt8(ascii: ":"))
      }
      try scanValue()
    }
    skipSpace()
    guard place == bytes.count else { throw fault(.rest) }
  }

  private func fault(_ reason: JSONFault.Reason) -> JSONFault {
    JSONFault(reason: place < bytes.count ? reason : .end, place: place)
  }

  private mutating func skipSpace() {
    while place < bytes.count {
      switch bytes[place] {
      case 0x20, 0x0A, 0x0D, 0x09: place += 1
      default: return
      }
    }
  }

  private mutating func nextVisible() throws(JSONFault) -> UInt8 {
    skipSpace()
    guard place < bytes.count else { throw fault(.end) }
    return bytes[place]
  }

  private mutating func take(_ byte: UInt8) throws(JSONFault) {
    guard try nextVisible() == byte else { throw fault(.unexpected) }
    place += 1
  }

  private mutating func add(_ kind: JSONNode.Kind, from start: Int) {
    nodes.append(JSONNode(kind, from: start, to: place, at: nodes.count))
  }

  private mutating func scanValue() throws(JSONFault) {
    switch try nextVisible() {
    case UInt8(ascii: "{"): try begin(.object)
    case UInt8(ascii: "["): try begin(.list)
    case UInt8(ascii: "\""): try scanText()
    case UInt8(ascii: "n"): try scan("null", .null)
    case UInt8(ascii: "t"): try scan("true", .yes)
    case UInt8(ascii: "f"): try scan("false", .no)
    default: try scanNumber()
    }
  }

  private mutating func begin(_ kind: JSONNode.Kind) throws(JSONFault) {
    guard open.count < Self.maximumDepth else { throw fault(.depth) }
    open.append(nodes.count)
    add(kind, from: place)
    place += 1
  }

  private mutating func scan(_ word: StaticString, _ kind: JSONNode.Kind) throws(JSONFault) {
    let start = place
    for offset in 0..<word.utf8CodeUnitCount {
      guard place < bytes.count, bytes[place] == word.utf8Start[offset] else { throw fault(.unexpected) }
      place += 1
    }
    add(kind, from: start)
  }

  private mutating func scanText() throws(JSONFault) {
    place += 1
    let start = place
    var kind = JSONNode.Kind.plainText
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        add(kind, from: start)
        place += 1
        return
      case UInt8(ascii: "\\"):
        kind = .escapedText
        place += 2
      case 0..<0x20: throw fault(.unexpected)
      default: place += 1
      }
    }
    throw fault(.end)
  }

  private mutating func scanNumber() throws(JSONFault) {
    let start = place
    if bytes[place] == UInt8(ascii: "-") { place += 1 }
    let first = place < bytes.count ? bytes[place] : 0
    try scanDigits(.unexpected)
    guard first != UInt8(ascii: "0") || place == start + 1 || bytes[start] == UInt8(ascii: "-") && place == start + 2
    else { throw JSONFault(reason: .number, place: start) }
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      place += 1
      try scanDigits(.number)
    }
    if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      if place < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[place]) { place += 1 }
      try scanDigits(.number)
    }
    add(.number, from: start)
  }

  private mutating func scanDigits(_ reason: JSONFault.Reason) throws(JSONFault) {
    let start = place
    while place < bytes.count, bytes[place] &- UInt8(ascii: "0") < 10 { place += 1 }
    guard place > start else { throw fault(reason) }
  }
}
