/// A counter with a name (nft(8), STATEFUL OBJECTS), which several rules may count in.
public struct NftCounter: Hashable, Sendable {
  public var name: String
  public var packets: UInt64
  /// From the network header on.
  public var bytes: UInt64

  public init(_ name: String, packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.name = name
    self.packets = packets
    self.bytes = bytes
  }

  /// As nft writes it.
  public var rendered: String { "counter \(name) {\n\tpackets \(packets) bytes \(bytes)\n}" }
}

/// Flags of a TCP header (RFC 9293, 3.1).
public struct NftTCPFlags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let fin = NftTCPFlags(rawValue: 1)
  public static let syn = NftTCPFlags(rawValue: 2)
  public static let rst = NftTCPFlags(rawValue: 4)
  public static let ack = NftTCPFlags(rawValue: 16)

  var rendered: String {
    let names: [(NftTCPFlags, String)] = [(.fin, "fin"), (.syn, "syn"), (.rst, "rst"), (.ack, "ack")]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: " | ")
  }
}
