/// Writes values as JSON: on one line, with the members of each object in the order of their keys.
package enum JSONWriter {
  /// - Throws: `EncodingError` for a number that JSON has no text for.
  package static func encode(_ value: some Encodable) throws -> [UInt8] {
    let text = JSONOutput()
    try text.write(value)
    text.close(downTo: 0)
    return text.bytes
  }
}

/// A text as it grows.
///
/// `Encodable` never says that an object or a list is complete. So each is closed when something is written outside of it.
final class JSONOutput {
  private(set) var bytes: [UInt8] = []
  /// The objects and lists around the end of the text, outermost first.
  private var open: [Frame] = []
  /// The members of all open objects.
  private var members: [Member] = []

  private struct Frame {
    let isObject: Bool
    /// The place after its bracket.
    let start: Int
    let firstMember: Int
    var isInOrder = true
    var count = 0
  }

  private struct Member {
    let start: Int
    let keyEnd: Int
  }

  var depth: Int { open.count }

  /// The number of entries of an open list.
  func count(at level: Int) -> Int { level < open.count ? open[level].count : 0 }

  // MARK: Objects and lists

  /// Opens an object or a list as the value that is due at a level. One that stands open there goes on.
  func begin(isObject: Bool, at level: Int) {
    if open.count > level, open[level].isObject == isObject { return close(downTo: level + 1) }
    bytes.append(isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
    open.append(Frame(isObject: isObject, start: bytes.count, firstMember: members.count))
  }

  func beginMember(_ key: String, at level: Int) {
    beginEntry(at: level)
    let start = bytes.count
    write(text: key)
    let member = Member(start: start, keyEnd: bytes.count)
    if members.count > open[level].firstMember, let last = members.last, !isInOrder(last, member) {
      open[level].isInOrder = false
    }
    members.append(member)
    bytes.append(UInt8(ascii: ":"))
  }

  func beginEntry(at level: Int) {
    close(downTo: level + 1)
    if open[level].count > 0 { bytes.append(UInt8(ascii: ",")) }
    open[level].count += 1
  }

  func close(downTo level: Int) {
    while open.count > level {
      let frame = open.removeLast()
      if !frame.isInOrder { sortMembers(from: frame.firstMember, at: frame.start) }
      members.removeSubrange(frame.firstMember...)
      bytes.append(frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }
  }

  private func isInOrder(_ first: Member, _ second: Member) -> Bool {
    bytes[first.start..<first.keyEnd].lexicographicallyPrecedes(bytes[second.start..<second.keyEnd])
  }

  private func sortMembers(from first: Int, at start: Int) {
    let text = Array(bytes[start...])
    let starts = members[first...].map(\.start)
    // A comma stands between two members.
    let ends = starts.dropFirst().map { $0 - 1 } + [bytes.count]
    let order = zip(members[first...], ends).sorted { isInOrder($0.0, $1.0) }
    bytes.removeSubrange(start...)
    for (index, (member, end)) in order.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += text[(member.start - start)..<(end - start)]
    }
  }

  // MARK: Values

  func write(_ value: some Encodable) throws {
    let (level, start) = (open.count, bytes.count)
    try value.encode(to: JSONValueEncoder(text: self, level: level))
    close(downTo: level)
    if bytes.count == start { write(word: "{}") }
  }

  func write(word: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
  }

  func write(integer value: some FixedWidthInteger) { bytes.append(contentsOf: String(value).utf8) }

  func write(number value: some BinaryFloatingPoint & LosslessStringConvertible) throws {
    guard value.isFinite else {
      throw EncodingError.invalidValue(
        value, EncodingError.Context(codingPath: [], debugDescription: "JSON has no text for \(value)"))
    }
    let text = value.description
    bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
  }

  func write(text value: String) {
    var value = value
    bytes.append(UInt8(ascii: "\""))
    value.withUTF8 { characters in
      var start = 0
      for place in 0..<characters.count {
        let byte = characters[place]
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
        bytes.append(contentsOf: characters[start..<place])
        writeEscape(of: byte)
        start = place + 1
      }
      bytes.append(contentsOf: characters[start...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private func writeEscape(of byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0..<0x20:
      let digit = byte & 0xF
      bytes += [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"), UInt8(ascii: "0") + byte >> 4]
      bytes.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
    default: bytes.append(byte)
    }
  }
}
