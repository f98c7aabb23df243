import Addresses

/// A value to compare a field with, or an element of a set, or a part of one.
public enum NftValue: Hashable, Sendable {
  /// A link's name. One that ends in an asterisk stands for all that begin so, in a rule but not in a set.
  case interface(String)
  case address(IPAddress)
  case prefix(IPPrefix)
  /// From the first to the last address, of one family.
  case addresses(IPAddress, IPAddress)
  case port(UInt16)
  case ports(ClosedRange<UInt16>)
  /// A transport protocol by its number: 6 is TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
  case transport(UInt8)
  /// `ip` or `ip6`.
  case family(NftFamily)
  case hardware(MACAddress)
  /// RTN_*: 2 is an address of this host.
  case addressType(UInt32)
  /// An ICMP or ICMPv6 type: 8 and 128 are echo requests.
  case icmpType(UInt8)
  case icmpTypes(ClosedRange<UInt8>)
  case hopLimit(UInt8)
  case mark(UInt32)
  /// IEEE 802 numbers, in the host's order: 0x0800 is IPv4.
  case etherType(UInt16)
  /// PACKET_* of packet(7): 1 is broadcast, 2 multicast.
  case packetType(UInt8)
  /// 0...16,777,215
  case tunnel(UInt32)
  /// An address as ``NftField/neighbourTarget`` has it.
  case neighbour(IPv6Address)
  /// From the first to the last.
  case neighbours(IPv6Address, IPv6Address)
  /// Addresses as ``NftField/quotedDestination`` has them, from the first to the last.
  case quoted(IPv4Address, IPv4Address)

  public static let tcp = NftValue.transport(6)
  public static let udp = NftValue.transport(17)
  public static let icmp = NftValue.transport(1)
  public static let icmpv6 = NftValue.transport(58)
  /// The type of an address of this host.
  public static let local = NftValue.addressType(2)

  /// As nft writes it.
  public var rendered: String {
    switch self {
    case .interface(let name): nftQuoted(name)
    case .address(let address): address.description
    case .prefix(let prefix): prefix.description
    case .addresses(let first, let last): "\(first)-\(last)"
    case .port(let port): String(port)
    case .ports(let range): "\(range.lowerBound)-\(range.upperBound)"
    case .transport(let number): NftValue.transportNames[number] ?? String(number)
    case .family(let family): family == .ip ? "ipv4" : "ipv6"
    case .hardware(let address): address.description
    case .addressType(let number): NftValue.addressTypeNames[number] ?? String(number)
    case .icmpType(let number): String(number)
    case .hopLimit(let limit): String(limit)
    case .icmpTypes(let range): "\(range.lowerBound)-\(range.upperBound)"
    case .mark(let number): String(number)
    case .etherType(let number): NftValue.etherTypeNames[number] ?? String(number)
    case .tunnel(let number): String(number)
    case .packetType(let number): number == 1 ? "broadcast" : number == 2 ? "multicast" : String(number)
    case .neighbour(let address): address.number
    case .neighbours(let first, let last): "\(first.number)-\(last.number)"
    case .quoted(let first, let last):
      first == last ? first.octets.number : "\(first.octets.number)-\(last.octets.number)"
    }
  }

  private static let etherTypeNames: [UInt16: String] = [
    0x0800: "ip", 0x0806: "arp", 0x86DD: "ip6", 0x8100: "8021q", 0x88A8: "8021ad",
  ]
  private static let transportNames: [UInt8: String] = [
    1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 58: "ipv6-icmp", 132: "sctp",
  ]
  private static let addressTypeNames: [UInt32: String] = [
    1: "unicast", 2: "local", 3: "broadcast", 4: "anycast", 5: "multicast", 6: "blackhole", 7: "unreachable",
    8: "prohibit",
  ]

  /// The least and the greatest octets of the value as the kernel compares them; nil if the value is not of the type.
  package func bounds(_ type: NftType) -> (lower: [UInt8], upper: [UInt8])? {
    func single(_ octets: [UInt8]) -> ([UInt8], [UInt8]) { (octets, octets) }
    switch (self, type) {
    case (.interface(let name), .interfaceName):
      // IFNAMSIZ less the NUL.
      guard (1...15).contains(name.utf8.count), !name.utf8.contains(0), !name.hasSuffix("*") else { return nil }
      return single([UInt8](name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count))
    case (.address(.v4(let address)), .ipv4Address): return single(address.octets)
    case (.address(.v6(let address)), .ipv6Address): return single(address.octets)
    case (.prefix(.v4(let prefix)), .ipv4Address): return (prefix.network.octets, prefix.last.octets)
    case (.prefix(.v6(let prefix)), .ipv6Address): return (prefix.network.octets, prefix.last.octets)
    case (.addresses(.v4(let first), .v4(let last)), .ipv4Address):
      return first <= last ? (first.octets, last.octets) : nil
    case (.addresses(.v6(let first), .v6(let last)), .ipv6Address):
      return first <= last ? (first.octets, last.octets) : nil
    case (.port(let port), .port): return single(octets(port.bigEndian))
    case (.ports(let range), .port):
      return (octets(range.lowerBound.bigEndian), octets(range.upperBound.bigEndian))
    case (.transport(let number), .transportProtocol): return single([number])
    case (.family(let family), .networkFamily): return single([family.rawValue])
    case (.hardware(let address), .hardwareAddress): return single(address.octets)
    case (.hopLimit(let limit), .hopLimit): return single([limit])
    case (.icmpTypes(let range), .icmpType), (.icmpTypes(let range), .icmpv6Type):
      return ([range.lowerBound], [range.upperBound])
    case (.quoted(let first, let last), .quotedAddress):
      return first <= last ? (first.octets, last.octets) : nil
    case (.addressType(let number), .addressType), (.mark(let number), .mark): return single(octets(number))
    case (.icmpType(let number), .icmpType), (.icmpType(let number), .icmpv6Type): return single([number])
    case (.etherType(let number), .etherType): return single(octets(number.bigEndian))
    case (.tunnel(let number), .tunnelNumber): return single([UInt8](octets(number.bigEndian).dropFirst()))
    case (.packetType(let number), .packetType): return single([number])
    case (.neighbour(let address), .neighbourTarget): return single(address.octets)
    case (.neighbours(let first, let last), .neighbourTarget):
      return first <= last ? (first.octets, last.octets) : nil
    default: return nil
    }
  }
}

extension IPv6Address {
  fileprivate var number: String { octets.number }
}

extension [UInt8] {
  fileprivate var number: String { "0x" + map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

extension [NftValue] {
  /// A concatenation as nft writes it.
  var rendered: String { map(\.rendered).joined(separator: " . ") }
}

/// The octets of an integer in memory.
package func octets(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value) { [UInt8]($0) }
}

/// Text between quotation marks. nft's scanner knows no escapes: what it could not read back is left out.
func nftQuoted(_ text: String) -> String {
  // By scalars: with an accent on it, a quotation mark is another character of Swift's, and the same one of nft's.
  "\"\(String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\"" && $0 != "\n" })))\""
}
