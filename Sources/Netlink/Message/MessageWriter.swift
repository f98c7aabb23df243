import Addresses
import CNetfilter

/// Writes netlink messages (RFC 3549, netlink(7)) one after another into one growing buffer, so that a batch costs no
/// allocation for each message.
///
/// Attributes are aligned to four octets. What cannot be expressed (an attribute or a string over 65,531 octets, a string
/// with a NUL inside) marks the message ``isMalformed`` in place of trapping: names and aliases come from users.
struct MessageWriter: Sendable {
  private(set) var bytes: [UInt8] = []
  /// True if something written since the last ``begin(type:flags:)`` did not fit the format.
  private(set) var isMalformed = false
  private var messageStart = 0

  /// Starts a message: a `struct nlmsghdr` whose length ``end()`` fills in and whose sequence the socket sets.
  mutating func begin(type: UInt16, flags: UInt16) {
    messageStart = bytes.count
    isMalformed = false
    put(UInt32(0))
    put(type)
    put(flags)
    put(UInt32(0))
    put(UInt32(0))
  }

  /// Ends the message and returns where it stands in ``bytes``.
  @discardableResult
  mutating func end() -> Range<Int> {
    align()
    store(UInt32(truncatingIfNeeded: bytes.count - messageStart), at: messageStart)
    return messageStart..<bytes.count
  }

  /// Forgets everything written and keeps the memory.
  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    messageStart = 0
    isMalformed = false
  }

  mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(count)
  }

  /// An integer in host byte order, as most of rtnetlink has them.
  mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  mutating func attribute(_ type: Int, _ value: some FixedWidthInteger) {
    attribute(type) { $0.put(value) }
  }

  /// A NUL-terminated string (NLA_NUL_STRING, and NLA_STRING takes it too).
  mutating func attribute(_ type: Int, _ text: String) {
    attribute(type) { writer in
      for octet in text.utf8 {
        if octet == 0 { writer.isMalformed = true }
        writer.bytes.append(octet)
      }
      writer.bytes.append(0)
    }
  }

  mutating func attribute(_ type: Int, _ address: IPAddress) {
    attribute(type) { $0.put(address) }
  }

  mutating func attribute(_ type: Int, _ address: MACAddress) {
    attribute(type) { $0.put(address) }
  }

  /// An attribute with no payload (NLA_FLAG).
  mutating func flag(_ type: Int) {
    attribute(type) { _ in }
  }

  /// An attribute of attributes, marked NLA_F_NESTED as strict checking wants it.
  mutating func nest(_ type: Int, _ body: (inout MessageWriter) -> Void) {
    attribute(type | Int(NLA_F_NESTED), body)
  }

  /// An attribute whose payload the closure writes.
  mutating func attribute(_ type: Int, _ body: (inout MessageWriter) -> Void) {
    let start = bytes.count
    put(UInt16(0))
    put(UInt16(truncatingIfNeeded: type))
    body(&self)
    let length = bytes.count - start
    if length > Int(UInt16.max) { isMalformed = true }
    store(UInt16(truncatingIfNeeded: length), at: start)
    align()
  }

  /// The octets of an address as they travel.
  mutating func put(_ address: IPAddress) {
    switch address {
    case .v4(let address):
      put(address.bits.bigEndian)
    case .v6(let address):
      put(address.high.bigEndian)
      put(address.low.bigEndian)
    }
  }

  mutating func put(_ address: MACAddress) {
    put(UInt32(truncatingIfNeeded: address.bits >> 16).bigEndian)
    put(UInt16(truncatingIfNeeded: address.bits).bigEndian)
  }

  private mutating func align() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  private mutating func store(_ value: some FixedWidthInteger, at offset: Int) {
    withUnsafeBytes(of: value) { source in
      for index in source.indices { bytes[offset + index] = source[index] }
    }
  }
}
