import Addresses
import Vocabulary

/// The verdict on the first packet of a flow, with its reason. Answers to it always pass.
package struct PolicyDecision: Hashable, Sendable, CustomStringConvertible {
  package enum Reason: Hashable, Sendable {
    /// The rule of that number in ``StackPolicy/rules``.
    case rule(Int)
    /// The default of a network, for packets that no rule matches.
    case networkDefault(String)
    /// Networks of a stack do not reach each other, and the internet reaches what is published alone.
    case isolation
    /// The source has no route there: all its networks are internal, or it has none.
    case noRoute
    /// An internal network has no way to the host, nor to what the host publishes.
    case kept(in: String)
    /// IPv4 link-local addresses are for neighbours. Only a rule that names such addresses leads there (``LinkLocal``).
    case linkLocal
    /// A service's question for a name, to the host's address in its own network.
    case names
    /// It never leaves the service or the host.
    case itself
    /// It does not come through the stack's networks.
    case elsewhere
  }

  package var isAllowed: Bool
  package var reason: Reason
  /// The rule that decided.
  var rule: PolicyRule?

  package init(_ isAllowed: Bool, _ reason: Reason, rule: PolicyRule? = nil) {
    self.isAllowed = isAllowed
    self.reason = reason
    self.rule = rule
  }

  /// `denied by web.stack:9, deny: any -> db`
  package var description: String {
    "\(isAllowed ? "allowed" : "denied") \(explanation)"
  }

  private var explanation: String {
    switch reason {
    case .rule(let number):
      guard let rule else { return "by rule \(number + 1)" }
      return "by " + (rule.declaredAt.map { "\($0), " } ?? "") + rule.line
    case .networkDefault(let network): return "by default in network \(network)"
    case .isolation: return "since no rule leads from one to the other"
    case .noRoute: return "since the source has no route there"
    case .kept(let network): return "since network \(network) is internal"
    case .linkLocal: return "since the destination is link-local, and no rule names it"
    case .names: return "since services can always ask for names"
    case .itself: return "since it stays where it is"
    case .elsewhere: return "since it does not come through the stack's networks"
    }
  }
}

/// The sender or the receiver of a packet.
package enum PolicyEndpoint: Hashable, Sendable {
  /// An instance of a service. If no network is given, a source means the one that leads to the destination. A
  /// destination means the first network that it shares with the source, else its first.
  case service(String, network: String? = nil)
  /// The host, by an address of its own; without one, by that in the service's network.
  case host(IPAddress? = nil)
  /// Neither a service nor the host.
  case outside(IPAddress)
}

/// A packet by what rules look at. Ports are the destination's, behind translation: the service's own.
package enum PolicyPacket: Hashable, Sendable {
  case tcp(UInt16)
  case udp(UInt16)
  /// ICMP or ICMPv6.
  case icmp
  /// Another protocol, by its number (RFC 790). Only rules without ports match it.
  case other(UInt8)
}

extension PortSelector {
  package func covers(_ packet: PolicyPacket) -> Bool {
    switch (transport, packet) {
    case (.tcp, .tcp(let port)), (.udp, .udp(let port)): ports.contains(port)
    case (.icmp, .icmp): true
    default: false
    }
  }
}
