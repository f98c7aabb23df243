import Netfilter

/// The `typeof` declaration of a set (nft(8)), for keys that have no types of their own. It holds the expressions that
/// elements are compared with, and nft(8) needs it to list the set.
///
/// The kernel keeps it as it is. Nested type, length and value, an octet for each of the first two, as nft 1.0 and newer writes them
/// (`struct expr_ops`' build_udata in its src/meta.c and src/payload.c).
extension [NftType] {
  /// nil where types say all.
  var typeOf: [UInt8]? {
    guard contains(.neighbourTarget) else { return nil }
    let parts = compactMap(\.typeOf)
    guard parts.count == count else { return nil }
    guard count > 1 else { return parts[0] }
    // EXPR_CONCAT
    return Self.attribute(0, 13)
      + Self.attribute(1, parts.enumerated().flatMap { Self.attribute(UInt8(truncatingIfNeeded: $0), $1) })
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
    // No protocol's field: PROTO_BASE_TRANSPORT_HDR, offset and length in bits.
    case .neighbourTarget:
      Key.attribute(0, 7)
        + Key.attribute(
          1,
          Key.attribute(0, 0) + Key.attribute(1, 0) + Key.attribute(2, 3) + Key.attribute(3, 64)
            + Key.attribute(4, 128))
    default: nil
    }
  }
}
