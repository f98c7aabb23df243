import Addresses

/// A rule's text, cut into its parts: `peers -> peers[:ports]`. Each part with its place in bytes of the text.
package struct RuleText {
  package struct Part {
    package var text: String
    package var range: Range<Int>
  }

  package var sources: [Part]
  package var destinations: [Part]
  /// Nil when no `:` follows the destinations.
  package var ports: [Part]?

  /// Nil without exactly one arrow. Parts may be empty.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    let arrows = bytes.indices.dropLast().filter {
      bytes[$0] == UInt8(ascii: "-") && bytes[$0 + 1] == UInt8(ascii: ">")
    }
    guard arrows.count == 1, let arrow = arrows.first else { return nil }
    sources = Self.split(bytes, 0..<arrow)
    let right = arrow + 2..<bytes.count
    guard let colon = Self.portColon(bytes, right) else {
      destinations = Self.split(bytes, right)
      return
    }
    destinations = Self.split(bytes, right.lowerBound..<colon)
    ports = Self.split(bytes, colon + 1..<bytes.count)
  }

  /// Parts between commas, without the spaces around them.
  private static func split(_ bytes: [UInt8], _ range: Range<Int>) -> [Part] {
    var parts: [Part] = []
    var start = range.lowerBound
    for end in Array(range.filter { bytes[$0] == UInt8(ascii: ",") }) + [range.upperBound] {
      var part = start..<end
      while let first = part.first, bytes[first] == UInt8(ascii: " ") { part = first + 1..<part.upperBound }
      while let last = part.last, bytes[last] == UInt8(ascii: " ") { part = part.lowerBound..<last }
      parts.append(Part(text: String(decoding: bytes[part], as: UTF8.self), range: part))
      start = end + 1
    }
    return parts
  }

  /// The colon that ends the last destination. Not those of `network:` and `label:`, nor of an IPv6 address: one that has no
  /// brackets around it has a `/` after its last.
  private static func portColon(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
    var start = range.lowerBound
    while start < range.upperBound {
      while start < range.upperBound, bytes[start] == UInt8(ascii: " ") { start += 1 }
      let end = bytes[start..<range.upperBound].firstIndex(of: UInt8(ascii: ",")) ?? range.upperBound
      var search = start..<end
      if let prefix = ["network:", "label:"].first(where: { bytes[search].starts(with: $0.utf8) }) {
        search = start + prefix.utf8.count..<end
      } else if let slash = bytes[search].firstIndex(of: UInt8(ascii: "/")), isAddress(bytes[start..<slash]) {
        search = slash..<end
      } else if bytes[search].first == UInt8(ascii: "["), let close = bytes[search].firstIndex(of: UInt8(ascii: "]")) {
        search = close..<end
      } else if isAddress(bytes[search]) {
        search = end..<end
      }
      if let colon = bytes[search].firstIndex(of: UInt8(ascii: ":")) { return colon }
      start = end + 1
    }
    return nil
  }

  private static func isAddress(_ bytes: ArraySlice<UInt8>) -> Bool {
    IPAddress(String(decoding: bytes, as: UTF8.self).trimmingSpaces) != nil
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
