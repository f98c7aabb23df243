import Addresses
import CNetfilter

/// One netlink message as it stands in a receive buffer.
struct MessageHeader: Hashable, Sendable {
  /// `sizeof(struct nlmsghdr)`.
  static let size = 16

  var type: UInt16
  var flags: UInt16
  var sequence: UInt32
  var port: UInt32
}

/// Reads what the kernel wrote, trusting none of the lengths in it: a cut, oversized or zero length ends the walk.
extension RawSpan {
  /// An integer in host byte order; nil beyond the end.
  func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int = 0) -> Value? {
    guard offset >= 0, byteCount - offset >= MemoryLayout<Value>.size else { return nil }
    return unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  /// Text up to its NUL or the end; octets that are not UTF-8 are replaced.
  var text: String {
    withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// An address by its length; nil if it is neither.
  var ipAddress: IPAddress? {
    switch byteCount {
    case 4: integer(UInt32.self).map { .v4(IPv4Address(bits: UInt32(bigEndian: $0))) }
    case 16: ipv6Address.map { .v6($0) }
    default: nil
    }
  }

  private var ipv6Address: IPv6Address? {
    guard let high = integer(UInt64.self), let low = integer(UInt64.self, at: 8) else { return nil }
    return IPv6Address(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }

  /// A hardware address if it has six octets.
  var macAddress: MACAddress? {
    guard byteCount == 6, let high = integer(UInt32.self), let low = integer(UInt16.self, at: 4) else { return nil }
    return MACAddress(bits: UInt64(UInt32(bigEndian: high)) << 16 | UInt64(UInt16(bigEndian: low)))
  }

  /// Calls the closure with each whole message and its payload.
  ///
  /// - Returns: whether the buffer ended where the last message did.
  @discardableResult
  func forEachMessage<Failure: Error>(
    _ body: (MessageHeader, RawSpan) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    var offset = 0
    while byteCount - offset >= MessageHeader.size {
      guard let length = integer(UInt32.self, at: offset).map({ Int($0) }),
        let type = integer(UInt16.self, at: offset + 4), let flags = integer(UInt16.self, at: offset + 6),
        let sequence = integer(UInt32.self, at: offset + 8), let port = integer(UInt32.self, at: offset + 12),
        length >= MessageHeader.size, length <= byteCount - offset
      else { return false }
      let header = MessageHeader(type: type, flags: flags, sequence: sequence, port: port)
      try body(header, extracting(offset + MessageHeader.size..<offset + length))
      offset += (length + 3) & ~3
    }
    return offset >= byteCount
  }

  /// Calls the closure with the type, its flag bits (NLA_F_NESTED, NLA_F_NET_BYTEORDER) taken off, and the payload of each
  /// whole attribute from an offset on.
  func forEachAttribute<Failure: Error>(
    from start: Int = 0, _ body: (Int, RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = start
    while byteCount - offset >= 4 {
      guard let length = integer(UInt16.self, at: offset).map({ Int($0) }),
        let type = integer(UInt16.self, at: offset + 2),
        length >= 4, length <= byteCount - offset
      else { return }
      try body(Int(type & attributeTypeMask), extracting(offset + 4..<offset + length))
      offset += (length + 3) & ~3
    }
  }
}

/// NLA_TYPE_MASK: the macro is an expression that Swift does not import.
private let attributeTypeMask: UInt16 = 0x3FFF
