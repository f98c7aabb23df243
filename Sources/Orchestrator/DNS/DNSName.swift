import Addresses

/// A domain name as it travels, in lower case: each label after its length, then an empty one (RFC 1035, 3.1).
package struct DNSName: Hashable, Sendable {
  package let wire: [UInt8]

  /// Reads labels with dots between, with or without one at the end; nil when a label is empty or over 63 octets, or all
  /// of it over 255.
  package init?(_ text: some StringProtocol) {
    let labels = text.hasSuffix(".") ? text.dropLast()[...] : text[...]
    self.init(labels: labels.isEmpty ? [] : labels.split(separator: ".", omittingEmptySubsequences: false))
  }

  package init?(labels: [some StringProtocol]) {
    var wire: [UInt8] = []
    for label in labels {
      guard (1...MessageLimit.label).contains(label.utf8.count) else { return nil }
      wire.append(UInt8(label.utf8.count))
      wire += label.utf8.map(\.foldedCase)
    }
    wire.append(0)
    guard wire.count <= MessageLimit.name else { return nil }
    self.wire = wire
  }
}

extension DNSName: CustomStringConvertible {
  package var description: String {
    var text = ""
    var position = 0
    while position < wire.count, wire[position] > 0 {
      let end = position + 1 + Int(wire[position])
      text += String(decoding: wire[(position + 1)..<end], as: UTF8.self) + "."
      position = end
    }
    return text.isEmpty ? "." : text
  }
}

/// Names that stand for addresses (RFC 1035, 3.5; RFC 3596, 2.5).
package enum ReverseName {
  private static let v4: [UInt8] = [7] + "in-addr".utf8 + [4] + "arpa".utf8 + [0]
  private static let v6: [UInt8] = [3] + "ip6".utf8 + [4] + "arpa".utf8 + [0]

  /// The address that a plain name stands for; nil for all other names.
  package static func address(_ name: Octets) -> IPAddress? {
    // 32 labels of one digit, or four of one to three.
    if name.count == 64 + v6.count, ends(name, with: v6) { return v6Address(name) }
    guard name.count > v4.count + 7, name.count <= v4.count + 16, ends(name, with: v4) else { return nil }
    return v4Address(name)
  }

  private static func ends(_ name: Octets, with suffix: [UInt8]) -> Bool {
    let start = name.count - suffix.count
    for index in suffix.indices where name[start + index].foldedCase != suffix[index] { return false }
    return true
  }

  private static func v4Address(_ name: Octets) -> IPAddress? {
    var (bits, position): (UInt32, Int) = (0, 0)
    for place in 0..<4 {
      guard let size = name.octet(at: position), (1...3).contains(size) else { return nil }
      var octet = 0
      for offset in 1...Int(size) {
        guard let digit = name.octet(at: position + offset), (0x30...0x39).contains(digit) else { return nil }
        // One way to write each number.
        guard offset == 1 || octet > 0 else { return nil }
        octet = octet * 10 + Int(digit - 0x30)
      }
      guard octet <= 255 else { return nil }
      bits |= UInt32(octet) << UInt32(8 * place)
      position += Int(size) + 1
    }
    return position == name.count - v4.count ? .v4(IPv4Address(bits: bits)) : nil
  }

  private static func v6Address(_ name: Octets) -> IPAddress? {
    var (high, low): (UInt64, UInt64) = (0, 0)
    for place in 0..<32 {
      guard name[2 * place] == 1, let digit = hexadecimal(name[2 * place + 1].foldedCase) else { return nil }
      if place < 16 { low |= digit << UInt64(4 * place) } else { high |= digit << UInt64(4 * (place - 16)) }
    }
    return .v6(IPv6Address(high: high, low: low))
  }

  private static func hexadecimal(_ character: UInt8) -> UInt64? {
    switch character {
    case 0x30...0x39: UInt64(character - 0x30)
    case 0x61...0x66: UInt64(character - 0x61 + 10)
    default: nil
    }
  }
}
