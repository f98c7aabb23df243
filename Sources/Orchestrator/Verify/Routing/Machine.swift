import Addresses

/// A machine that routes packets in a stack: a service's network namespace, or the host.
struct Machine: Sendable {
  /// The service's name, or `host`.
  var name: String
  var isHost = false
  /// True if it passes on packets that are not for it.
  var forwards4 = false
  var forwards6 = false
  var addresses: Set<IPAddress> = []
  var tables: [UInt32: ForwardingTable] = [:]
  /// The policy routing rules, which choose a table for each packet. Empty if only the main table is used.
  var rules: [RoutingRule] = []
  /// The reason why its handling of packets is unknown: it filters or translates them by rules of its own.
  var obscurity: String?

  static let mainTable: UInt32 = 254

  var main: ForwardingTable {
    get { tables[Self.mainTable] ?? ForwardingTable() }
    set { tables[Self.mainTable] = newValue }
  }

  func forwards(_ address: IPAddress) -> Bool { address.isV4 ? forwards4 : forwards6 }
}

/// A rule of policy routing (ip-rule(8)).
struct RoutingRule: Hashable, Sendable {
  enum Action: Hashable, Sendable {
    case lookUp(UInt32)
    case blackhole
    case refuse
  }
  var source: IPPrefix?
  var destination: IPPrefix?
  /// The wire that the packet came by.
  var arrival: Int?
  var isV4: Bool
  var action: Action
  /// As `ip rule` has it.
  var text: String

  /// - Parameter arrival: nil for what the machine itself sends.
  func concerns(from sender: IPAddress?, to address: IPAddress, by wire: Int?) -> Bool {
    guard address.isV4 == isV4, destination?.contains(address) ?? true else { return false }
    if let arrival, arrival != wire { return false }
    // A packet without a source yet matches only rules without a source (fib4_rule_match in net/ipv4/fib_rules.c).
    guard let source else { return true }
    return sender.map(source.contains) ?? false
  }
}
