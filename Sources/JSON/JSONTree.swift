/// A text with its nodes, while a value is read from it.
final class JSONTree {
  private let bytes: [UInt8]
  private var nodes: [JSONNode]

  init(_ bytes: [UInt8]) throws(JSONFault) {
    self.bytes = bytes
    nodes = try JSONScanner.scan(bytes)
  }

  func kind(of node: Int) -> JSONNode.Kind { nodes[node].kind }

  func end(of node: Int) -> Int { Int(nodes[node].after) }

  // MARK: Values

  func text(of node: Int) -> String? {
    switch nodes[node].kind {
    case .plainText: String(validating: bytes[Int(nodes[node].start)..<Int(nodes[node].end)], as: UTF8.self)
    case .escapedText: unescaped(node)
    default: nil
    }
  }

  /// A whole number; nil for one that does not fit. A fraction of zero and an exponent are allowed.
  func integer<Value: FixedWidthInteger>(at node: Int) -> Value? {
    guard nodes[node].kind == .number else { return nil }
    let digits = bytes[Int(nodes[node].start)..<Int(nodes[node].end)]
    let isNegative = digits.first == UInt8(ascii: "-")
    var value: Value = 0
    for byte in isNegative ? digits.dropFirst() : digits {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return number(at: node).flatMap { Value(exactly: $0) } }
      let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (next, overflows) =
        isNegative
        ? tenfold.subtractingReportingOverflow(Value(digit)) : tenfold.addingReportingOverflow(Value(digit))
      guard !isTooLarge, !overflows else { return nil }
      value = next
    }
    return value
  }

  func number(at node: Int) -> Double? {
    guard nodes[node].kind == .number else { return nil }
    return Double(String(decoding: bytes[Int(nodes[node].start)..<Int(nodes[node].end)], as: UTF8.self))
      .flatMap { $0.isFinite ? $0 : nil }
  }

  private func unescaped(_ node: Int) -> String? {
    let end = Int(nodes[node].end)
    var place = Int(nodes[node].start)
    var result: [UInt8] = []
    result.reserveCapacity(end - place)
    while place < end {
      let byte = bytes[place]
      place += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard place < end else { return nil }
      let escape = bytes[place]
      place += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"):
        guard let scalar = scalar(at: &place, before: end) else { return nil }
        if scalar.isASCII {
          result.append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
          result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
      default: return nil
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  /// The scalar of an escape after its `\u`, with the other half of a surrogate pair.
  private func scalar(at place: inout Int, before end: Int) -> Unicode.Scalar? {
    guard let first = unit(at: &place, before: end) else { return nil }
    guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
    guard place + 1 < end, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") else { return nil }
    place += 2
    guard let second = unit(at: &place, before: end), UTF16.isTrailSurrogate(second) else { return nil }
    return UTF16.decode(UTF16.EncodedScalar([first, second]))
  }

  private func unit(at place: inout Int, before end: Int) -> UInt16? {
    guard place + 4 <= end else { return nil }
    var unit: UInt16 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch bytes[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[place] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[place] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[place] - UInt8(ascii: "A") + 10
      default: return nil
      }
      unit = unit << 4 | UInt16(digit)
      place += 1
    }
    return unit
  }

  // MARK: Objects

  /// The value of a member; nil where there is none of that key.
  ///
  /// Members are mostly asked for in one order, so the search goes on where the last one of this object ended.
  func member(_ key: String, of object: Int) -> Int? {
    let (first, end) = (object + 1, end(of: object))
    guard first < end else { return nil }
    let begin = Int(nodes[object].cursor) < end ? Int(nodes[object].cursor) : first
    var found: Int?
    var place = begin
    repeat {
      if isKey(place, key) { found = place }
      let next = Int(nodes[place + 1].after)
      place = next < end ? next : first
    } while found == nil && place != begin
    guard let found else { return nil }
    nodes[object].cursor = nodes[found + 1].after
    return found + 1
  }

  private func isKey(_ node: Int, _ key: String) -> Bool {
    guard nodes[node].kind == .plainText else { return text(of: node)?.utf8.elementsEqual(key.utf8) ?? false }
    let range = Int(nodes[node].start)..<Int(nodes[node].end)
    return range.count == key.utf8.count && bytes[range].elementsEqual(key.utf8)
  }

  /// The keys of an object, each once.
  func keys(of object: Int) -> [String] {
    var keys: [String] = []
    var place = object + 1
    while place < end(of: object) {
      if let key = text(of: place) { keys.append(key) }
      place = end(of: place + 1)
    }
    return keys
  }

  func count(of list: Int) -> Int {
    var count = 0
    var place = list + 1
    while place < end(of: list) {
      count += 1
      place = end(of: place)
    }
    return count
  }

  // MARK: Places

  /// The way from the whole text to a node: what only an error asks for.
  func path(to node: Int) -> [any CodingKey] {
    var path: [any CodingKey] = []
    var container = 0
    while container != node {
      let isObject = nodes[container].kind == .object
      var place = container + 1
      var index = 0
      while place < end(of: container) {
        let value = isObject ? place + 1 : place
        if end(of: value) > node { break }
        place = end(of: value)
        index += 1
      }
      let value = isObject ? place + 1 : place
      guard value <= node, value < end(of: container) else { break }
      path.append(isObject ? JSONKey(stringValue: text(of: place) ?? "") : JSONKey(intValue: index))
      container = value
    }
    return path
  }
}
