import Addresses

/// A condition of a rule.
public enum NftMatch: Hashable, Sendable {
  /// A field is, or is not, a value; a prefix or range means any of its values.
  case field(NftField, NftComparison, NftValue)
  /// A field is, or is not, one of several values.
  case anyOf(NftField, NftComparison, [NftValue])
  /// A field, or the concatenation of several, is or is not in a named set.
  case set([NftField], NftComparison = .equal, named: String)
  /// The connection is in one of these states.
  case state(NftConnectionState)
  /// Something of this has been done to the connection.
  case status(NftConnectionStatus)
  case direction(NftDirection)
  /// So many packets of a million, at random (`numgen random`). A million and more is every one.
  case chance(partsPerMillion: UInt32)
  /// Among the flags of a mask, a TCP header has (or has not) exactly these.
  case tcpFlags(NftTCPFlags, of: NftTCPFlags, NftComparison = .equal)

  /// A field is a value.
  public static func field(_ field: NftField, _ value: NftValue) -> NftMatch { .field(field, .equal, value) }
  /// A field is one of several values.
  public static func anyOf(_ field: NftField, _ values: [NftValue]) -> NftMatch { .anyOf(field, .equal, values) }
}

public enum NftComparison: Hashable, Sendable {
  case equal
  case notEqual

  var rendered: String { self == .equal ? " " : " != " }
}

/// Connection tracking's states (`ct state`).
public struct NftConnectionState: OptionSet, Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let invalid = NftConnectionState(rawValue: 1)
  public static let established = NftConnectionState(rawValue: 2)
  public static let related = NftConnectionState(rawValue: 4)
  public static let new = NftConnectionState(rawValue: 8)
  public static let untracked = NftConnectionState(rawValue: 64)

  var rendered: String {
    let names: [(NftConnectionState, String)] = [
      (.invalid, "invalid"), (.established, "established"), (.related, "related"), (.new, "new"),
      (.untracked, "untracked"),
    ]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: ",")
  }
}

/// The status of a connection (`ct status`).
public struct NftConnectionStatus: OptionSet, Hashable, Sendable {
  public var rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let sourceTranslated = NftConnectionStatus(rawValue: 16)
  public static let destinationTranslated = NftConnectionStatus(rawValue: 32)

  var rendered: String {
    let names: [(NftConnectionStatus, String)] = [(.sourceTranslated, "snat"), (.destinationTranslated, "dnat")]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: ",")
  }
}

/// The direction of a packet in its connection (`ct direction`).
public enum NftDirection: UInt8, Hashable, Sendable {
  case original = 0
  case reply = 1
}

/// The answer to a packet that is refused.
public enum NftRejection: Hashable, Sendable {
  /// ICMP or ICMPv6: communication administratively prohibited.
  case administrativelyProhibited
  case portUnreachable
  /// A TCP reset. The rule matches TCP even if its own matches do not say so.
  case tcpReset

  func rendered(in family: NftFamily) -> String {
    let kind =
      switch family {
      case .ip: "icmp"
      case .ip6: "icmpv6"
      default: "icmpx"
      }
    return switch self {
    case .administrativelyProhibited: "reject with \(kind) admin-prohibited"
    case .portUnreachable: "reject with \(kind) port-unreachable"
    case .tcpReset: "reject with tcp reset"
    }
  }
}

/// The action of a rule.
public enum NftStatement: Hashable, Sendable {
  case verdict(NftVerdict)
  case reject(NftRejection)
  /// Source translation to an address of the link that the packet leaves by.
  case masquerade
  /// The same with a source port of a range, which TCP and UDP have: the packet's own if that is in it and free.
  case masqueradePorts(ClosedRange<UInt16>)
  case snat(IPAddress)
  case dnat(IPAddress, port: UInt16? = nil)
  /// Destination translation to the address and port that a map gives for a concatenation of fields. The family is that of
  /// the map's addresses, `ip` or `ip6`.
  case dnatMap(NftFamily, [NftField], map: String)
  /// Writes an address of the packet anew, checksums with it, without a word to connection tracking.
  case assign(NftField, IPAddress)
  /// The same with the address that a map gives for a concatenation of fields; nothing if it gives none.
  case assignMap(NftField, [NftField], map: String)
  /// The verdict that a map gives for a concatenation of fields; the next rule if it gives none.
  case verdictMap([NftField], map: String)
  /// Marks the packet, for whoever looks at it later on this host (`meta mark`).
  case setMark(UInt32)
  case counter
  /// Counts in a counter of the table.
  case countIn(String)
  /// A line in the kernel's log, with a prefix of at most 127 octets.
  case log(prefix: String)
  /// Keeps connection tracking away.
  case notrack
  /// Counts the packet's connection for the element that a field gives, in a dynamic set. The rule goes on only where
  /// more connections of the element are there than so many (`ct count over`).
  case countConnections(NftField, in: String, over: UInt32)
  /// Adds the element that a field gives to a dynamic set, for so many milliseconds.
  case remember(NftField, in: String, milliseconds: UInt64)

  public static let accept = NftStatement.verdict(.accept)
  public static let drop = NftStatement.verdict(.drop)
}

/// A rule: statements that are carried out, in order, on a packet that all the matches hold for.
public struct NftRule: Hashable, Sendable {
  public var matches: [NftMatch]
  public var statements: [NftStatement]
  /// The comment of the rule: at most 127 octets, or it does not fit the kernel's buffer.
  public var comment: String?

  public init(_ matches: [NftMatch] = [], _ statements: [NftStatement], comment: String? = nil) {
    self.matches = matches
    self.statements = statements
    self.comment = comment
  }

  public init(_ matches: [NftMatch] = [], _ statement: NftStatement, comment: String? = nil) {
    self.init(matches, [statement], comment: comment)
  }
}
