import Netfilter

/// The `typeof` declaration of a set (nft(8)), for keys that have no types of their own. It holds the expressions that
/// elements are compared with, and nft(8) needs it to list the set.
///
/// The kernel keeps it as it is. Nested type, length and value, an octet for each of the first two, as nft 1.0 and newer writes them
/// (`struct expr_ops`' build_udata in its src/meta.c and src/payload.c).
extension [NftType] {
  /// nil where types say all.
  var typeOf: [UInt8]? {
    guard contains(where: \.isNumber) else { return nil }
    let parts = compactMap(\.typeOf)
    guard parts.count == count else { return nil }
    guard count > 1 else { return parts[0] }
    // EXPR_CONCAT
    return Self.attribute(0, 13)
      + Self.attribute(1, parts.enumerated().flatMap { Self.attribute(UInt8(truncatingIfNeeded: $0), $1) })
  }

  /// No protocol's field: PROTO_BASE_TRANSPORT_HDR, with offset and length in bits.
  fileprivate static func ofTransport(offset: UInt32, length: UInt32) -> [UInt8] {
    attribute(0, 7)
      + attribute(1, attribute(0, 0) + attribute(1, 0) + attribute(2, 3) + attribute(3, offset) + attribute(4, length))
  }

  fileprivate static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    [type, UInt8(truncatingIfNeeded: value.count)] + value
  }

  fileprivate static func attribute(_ type: UInt8, _ value: UInt32) -> [UInt8] { attribute(type, octets(value)) }
}

extension NftType {
  fileprivate var typeOf: [UInt8]? {
    typealias Key = [NftType]
    // EXPR_PAYLOAD is 7, EXPR_META 9.
    return switch self {
    // NFT_META_IIFNAME
    case .interfaceName: Key.attribute(0, 9) + Key.attribute(1, Key.attribute(0, 6))
    // PROTO_DESC_ETHER and ETHHDR_SADDR
    case .hardwareAddress: Key.attribute(0, 7) + Key.attribute(1, Key.attribute(0, 17) + Key.attribute(1, 2))
    case .neighbourTarget: Key.ofTransport(offset: 64, length: 128)
    case .quotedAddress: Key.ofTransport(offset: 192, length: 32)
    default: nil
    }
  }
}
