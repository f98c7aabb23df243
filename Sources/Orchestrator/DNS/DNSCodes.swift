/// The type of the record that is asked for (RFC 1035, 3.2.2, and the registry "DNS Parameters" of IANA).
package enum RecordType {
  package static let a: UInt16 = 1
  package static let pointer: UInt16 = 12
  package static let aaaa: UInt16 = 28
  package static let options: UInt16 = 41
  package static let any: UInt16 = 255
}

/// IN, the only class there is any more.
package enum RecordClass {
  package static let internet: UInt16 = 1
}

/// The result of a question (RFC 1035, 4.1.1; BADVERS: RFC 6891, 9).
package enum ResponseCode: UInt16, Hashable, Sendable {
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
package struct MessageFlags: OptionSet, Hashable, Sendable {
  package var rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let response = MessageFlags(rawValue: 0x8000)
  static let authoritative = MessageFlags(rawValue: 0x0400)
  package static let truncated = MessageFlags(rawValue: 0x0200)
  package static let recursionDesired = MessageFlags(rawValue: 0x0100)
  package static let recursionAvailable = MessageFlags(rawValue: 0x0080)
  package static let authenticData = MessageFlags(rawValue: 0x0020)
  package static let checkingDisabled = MessageFlags(rawValue: 0x0010)

  /// The four bits of the operation: 0 is a query.
  package static let operation = MessageFlags(rawValue: 0x7800)

  package var responseCode: UInt16 { rawValue & 0xF }
}

package enum MessageLimit {
  /// Over UDP, to a client that does not say how much it takes (RFC 1035, 4.2.1).
  static let plainDatagram = 512
  /// Over UDP in any case: what passes every link in one piece (DNS Flag Day 2020).
  package static let datagram = 1232
  /// Over TCP: the length before a message has two octets.
  package static let stream = 65535
  package static let header = 12
  static let name = 255
  static let label = 63
}

/// The port that name servers listen on (RFC 1035, 4.2).
package enum DNSPort {
  package static let standard: UInt16 = 53
}
