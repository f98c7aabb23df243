import Addresses
import Intent
import Rules
import Vocabulary

/// Chooses packets that the file does not allow between two interfaces. Pure.
struct HostileRefusals {
  private let stack: DesiredStack
  private let evaluator: PolicyEvaluator
  private var ports: ReachPorts

  init(_ stack: DesiredStack) {
    self.stack = stack
    evaluator = PolicyEvaluator(stack)
    ports = ReachPorts(stack)
  }

  /// True if no rule lets a packet pass to an address that the receiver has on a network that the sender is not on.
  func isApart(_ source: IPAddress, _ destination: IPAddress, port: UInt16) -> Bool {
    let decision = evaluator.decision(
      from: source, to: destination, .udp(port), isPublished: false, hostAddresses: [])
    guard let decision, decision.isAllowed, case .rule = decision.reason else { return true }
    return false
  }

  /// True if a machine outside reaches a published port by an address of the host.
  func isOpen(_ publication: Firewall.Publication, at address: IPAddress, to source: IPAddress) -> Bool {
    let port = publication.port
    guard publication.hostAddress == nil || publication.hostAddress == address, !address.isLoopback,
      port.sources.map({ $0.contains { $0.contains(source) } }) ?? true
    else { return false }
    let packet: PolicyPacket =
      switch port.target.transport {
      case .tcp: .tcp(port.target.port)
      case .udp: .udp(port.target.port)
      }
    return evaluator.decision(
      from: source, to: publication.address, packet, isPublished: true, hostAddresses: [])?.isAllowed ?? false
  }

  /// - Parameter port: a port of UDP that nobody has.
  /// - Returns: a packet that is refused between two addresses. Nil if rules allow all packets, or if two stacks share
  ///   the network: its owner decides there. Between stacks without a common network, any packet is refused.
  mutating func packet(
    from attacker: Foothold, _ source: IPAddress, to victim: Foothold, _ destination: IPAddress, port: UInt16
  ) -> Traffic? {
    guard attacker.stack == victim.stack else {
      return attacker.network.bridge == victim.network.bridge ? nil : .udp(port)
    }
    let candidates = [.udp(port)] + ports.named(for: victim.service).filter { $0 != .echo }
    return candidates.first { traffic in
      let decision = evaluator.decision(
        from: source, to: destination, traffic.packet, isPublished: false, hostAddresses: [])
      return decision.map { !$0.isAllowed } ?? false
    }
  }
}
