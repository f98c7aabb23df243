import Addresses

/// One line of `policies:` or `expect:`: who may, or may not, talk to whom, over what.
///
/// Peers stand as the file names them: what they come to is decided by the stack's services and addresses, which
/// `PolicyEvaluator` and the firewall look at.
package struct PolicyRule: Hashable, Sendable {
  package enum Action: String, Codable, Hashable, Sendable, CaseIterable {
    case allow, deny
  }

  package var action: Action
  package var sources: [PolicyPeer]
  package var destinations: [PolicyPeer]
  /// Empty for everything.
  package var ports: [PortSelector]
  /// As the file says it, without the action: `web* -> db:5432/tcp`.
  package var text: String
  package var declaredAt: SourceLine?

  package init(
    _ action: Action, from sources: [PolicyPeer], to destinations: [PolicyPeer], ports: [PortSelector] = [],
    text: String? = nil, declaredAt: SourceLine? = nil
  ) {
    self.action = action
    self.sources = sources
    self.destinations = destinations
    self.ports = ports
    self.text =
      text
      ?? "\(sources.list) -> \(destinations.list)" + (ports.isEmpty ? "" : ":\(ports.list)")
    self.declaredAt = declaredAt
  }

  /// `allow: web* -> db:5432/tcp`
  package var line: String { "\(action.rawValue): \(text)" }
}

extension Array where Element: CustomStringConvertible {
  fileprivate var list: String { map(\.description).joined(separator: ",") }
}

/// One end of what a rule is about.
package enum PolicyPeer: Hashable, Sendable {
  /// A service with all its replicas, or one replica (`web-2`).
  case service(String)
  /// Services whose name, or a replica's, is like it: `*` is any characters, `?` is one.
  case pattern(String)
  /// The services of a network, by their addresses in it.
  case network(String)
  /// The services with a label of that value.
  case label(key: String, value: String)
  /// Every address of a range, whoever has it.
  case range(IPPrefix)
  /// The machine that runs the stack.
  case host
  /// Every address that is neither in one of the stack's networks nor the host's own.
  case internet
  /// Everybody: services, the host and the internet.
  case any
}

/// The packets that a rule matches: one transport, with some or all ports of TCP and UDP.
package struct PortSelector: Hashable, Sendable {
  /// ICMP stands for ICMPv6 too.
  package enum Transport: String, Hashable, Sendable, CaseIterable {
    case tcp, udp, icmp
  }

  package var transport: Transport
  package var first: UInt16
  package var last: UInt16

  /// All of a transport.
  init(_ transport: Transport) {
    self.transport = transport
    (first, last) = (0, .max)
  }

  package init(_ ports: ClosedRange<UInt16>, _ transport: Transport) {
    self.transport = transport
    (first, last) = (ports.lowerBound, ports.upperBound)
  }

  /// Ports of TCP and UDP; ICMP has none, and one that is all of them stands there.
  package var ports: ClosedRange<UInt16> { first...max(first, last) }

  package func covers(_ other: PortSelector) -> Bool {
    transport == other.transport && first <= other.first && other.last <= last
  }
}
