import Host
import Intent
import Netlink
import Planning
import Rules
import Vocabulary

/// The commands for delay, loss and rate of links: tc(8), and nft(8) for loss where the kernel has no netem.
extension DesiredService {
  /// - Parameter isNew: true if the service's links have no qdiscs of the stack yet.
  package func shapeCommands(in desired: DesiredStack, isNew: Bool) -> [String] {
    let stack = desired.name
    var queues: [String] = []
    var emulators: [String] = []
    var lost: (outside: [(String, Share)], inside: [(String, Share)]) = ([], [])
    for attachment in attachments {
      let conditions = attachment.currentConditions
      for pair in attachment.pairs {
        let mtu = desired.network(named: attachment.network)?.mtu
        for (direction, tc, device) in [
          (LinkDirection.egress, "tc -n \(stack).\(name) qdisc", Shell.quoted(pair.interface)),
          (.ingress, "tc qdisc", pair.link),
        ] {
          let condition = conditions[direction]
          if !isNew { queues.append("\(tc) del dev \(device) root 2>/dev/null || true") }
          queues += condition.bucketCommand(tc, device, mtu: mtu).map { [$0] } ?? []
          emulators += condition.emulatorCommand(tc, device).map { [$0] } ?? []
        }
        if conditions.egress.loss > .none { lost.outside.append((pair.link, conditions.egress.loss)) }
        if conditions.ingress.loss > .none { lost.inside.append((pair.interface, conditions.ingress.loss)) }
        if !isNew || attachment.isSetDown {
          queues.append("ip link set \(pair.link) \(attachment.isSetDown ? "down" : "up")")
        }
      }
    }
    let needsEmulator = attachments.contains { $0.currentConditions.needsEmulator }
    let filters =
      [
        LossFilter(stack: stack, service: name, losses: lost.outside).table.map { ("nft -f -", $0) },
        LossFilter(stack: stack, service: name, losses: lost.inside).table.map {
          ("nsenter --net=/run/netns/\(stack).\(name) nft -f -", $0)
        },
      ].compactMap(\.self).map { Shell.feed($0, Step.replacement(of: $1)) }
    return queues + Step.emulation(emulators, otherwise: needsEmulator ? [] : filters)
  }
}

extension DesiredLink {
  func shapeCommands(in stack: DesiredStack) -> [String] {
    let isCut = stack.isCut(self)
    var queues: [String] = []
    var emulators: [String] = []
    var filters: [String] = []
    for way in [self, reversed] {
      let (tc, device) = ("tc -n \(stack.name).\(way.first.service) qdisc", Shell.quoted(way.first.interface))
      let condition = way.currentConditions.egress
      queues.append("\(tc) del dev \(device) root 2>/dev/null || true")
      queues += condition.bucketCommand(tc, device, mtu: mtu).map { [$0] } ?? []
      emulators += condition.emulatorCommand(tc, device).map { [$0] } ?? []
      let loss = isCut ? Share.all : condition.loss
      let filter = LossFilter(
        stack: stack.name, service: "\(way.second.service)/\(way.second.interface)",
        losses: loss == .none ? [] : [(way.second.interface, loss)])
      if let table = filter.table {
        filters.append(
          Shell.feed(
            "nsenter --net=/run/netns/\(stack.name).\(way.second.service) nft -f -", Step.replacement(of: table)))
      }
    }
    // The other end loses its carrier.
    if isSetDown {
      queues.append("ip -n \(stack.name).\(first.service) link set \(Shell.quoted(first.interface)) down")
    }
    if isCut { return queues + emulators + filters }
    return queues + Step.emulation(emulators, otherwise: currentConditions.needsEmulator ? [] : filters)
  }
}

extension Step {
  /// The commands for netem, and what comes in their place on a kernel that has none.
  fileprivate static func emulation(_ commands: [String], otherwise filters: [String]) -> [String] {
    guard !commands.isEmpty, !filters.isEmpty else { return commands }
    return ["if ! { \(commands.map { "\($0) 2>/dev/null" }.joined(separator: " && ")); }; then"] + filters + ["fi"]
  }
}

extension LinkCondition {
  /// The limit of rate: `burst` and `limit` in octets, as the kernel is told them.
  fileprivate func bucketCommand(_ tc: String, _ device: String, mtu: UInt32?) -> String? {
    guard let rate else { return nil }
    let bucket = TokenBucket(rate, mtu: mtu ?? 1500)
    return "\(tc) replace dev \(device) root handle 1: tbf rate \(rate) burst \(bucket.burst)b limit \(bucket.limit)b"
  }

  fileprivate func emulatorCommand(_ tc: String, _ device: String) -> String? {
    guard let emulator = NetworkEmulator(self) else { return nil }
    var words = ["limit \(emulator.limit)"]
    if delay > .zero {
      words.append("delay \(delay.microseconds)us" + (jitter > .zero ? " \(jitter.microseconds)us" : ""))
    }
    for (name, share) in [("loss", loss), ("duplicate", duplicate), ("corrupt", corrupt), ("reorder", reorder)]
    where share > .none {
      words.append("\(name) \(share)")
    }
    let place = rate == nil ? "root" : "parent 1:1"
    return "\(tc) replace dev \(device) \(place) handle 2: netem \(words.joined(separator: " "))"
  }
}

extension Duration {
  /// The unit that tc(8) shares with netem.
  fileprivate var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
