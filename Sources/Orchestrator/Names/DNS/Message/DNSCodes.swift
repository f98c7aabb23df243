/// What kind of record is asked for (RFC 1035, 3.2.2, and the registry "DNS Parameters" of IANA).
enum RecordType {
  static let a: UInt16 = 1
  static let pointer: UInt16 = 12
  static let aaaa: UInt16 = 28
  static let options: UInt16 = 41
  static let any: UInt16 = 255
}

/// IN, the only class there is any more.
enum RecordClass {
  static let internet: UInt16 = 1
}

/// How a question was answered (RFC 1035, 4.1.1; BADVERS: RFC 6891, 9).
enum ResponseCode: UInt16, Hashable, Sendable {
  case noError = 0
  case formatError = 1
  case serverFailure = 2
  /// NXDOMAIN.
  case nameError = 3
  case notImplemented = 4
  case refused = 5
  case badVersion = 16
}

/// The second word of a message (RFC 1035, 4.1.1; AD and CD: RFC 4035, 3.2).
struct MessageFlags: OptionSet, Hashable, Sendable {
  var rawValue: UInt16
  init(rawValue: UInt16) { self.rawValue = rawValue }

  static let response = MessageFlags(rawValue: 0x8000)
  static let authoritative = MessageFlags(rawValue: 0x0400)
  static let truncated = MessageFlags(rawValue: 0x0200)
  static let recursionDesired = MessageFlags(rawValue: 0x0100)
  static let recursionAvailable = MessageFlags(rawValue: 0x0080)
  static let authenticData = MessageFlags(rawValue: 0x0020)
  static let checkingDisabled = MessageFlags(rawValue: 0x0010)

  /// The four bits of the operation: 0 is a query.
  static let operation = MessageFlags(rawValue: 0x7800)

  var responseCode: UInt16 { rawValue & 0xF }
}

enum MessageLimit {
  /// Over UDP, to a client that does not say how much it takes (RFC 1035, 4.2.1).
  static let plainDatagram = 512
  /// Over UDP in any case: what passes every link in one piece (DNS Flag Day 2020).
  static let datagram = 1232
  /// Over TCP: the length before a message has two octets.
  static let stream = 65535
  static let header = 12
  static let name = 255
  static let label = 63
}
