import Glibc

/// An IPv6 address (RFC 4291), written in the canonical form of RFC 5952.
public struct IPv6Address: Hashable, Comparable, Sendable {
  /// The network half, in host byte order.
  public var high: UInt64
  /// The interface half, in host byte order.
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The sixteen octets, most significant first, as they travel.
  public var octets: [UInt8] {
    [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
  }

  public static let any = IPv6Address(high: 0, low: 0)
  public static let loopback = IPv6Address(high: 0, low: 1)

  /// The IPv4 address in one of `::ffff:0:0/96` (RFC 4291, 2.5.5.2), as sockets of both families have it.
  public var mapped: IPv4Address? {
    high == 0 && low >> 32 == 0xFFFF ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension IPv6Address: LosslessStringConvertible {
  /// Reads any form that inet_pton(3) takes; a zone (`%eth0`) is refused.
  public init?(_ description: String) {
    var address = in6_addr()
    guard !description.utf8.contains(0), inet_pton(AF_INET6, description, &address) == 1 else { return nil }
    let octets = withUnsafeBytes(of: address) { [UInt8]($0) }
    self.init(octets: octets)
  }

  init(octets: [UInt8]) {
    func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: half(octets.prefix(8)), low: half(octets.dropFirst(8)))
  }

  public var description: String {
    let octets = octets
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(AF_INET6, octets, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension IPv6Address: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}
