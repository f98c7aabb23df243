import Addresses
import Intent
import Rules

/// What the file does not let pass between two interfaces, with which honest packets one could tell. Pure.
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
  /// - Returns: a packet that is refused between two addresses, or nil where all that rules tell apart may pass. Nothing passes between
  ///   stacks, but on a network of both the owner decides: nil.
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
