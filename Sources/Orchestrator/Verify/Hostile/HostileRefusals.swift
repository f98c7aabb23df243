import Addresses
import Intent
import Rules

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
