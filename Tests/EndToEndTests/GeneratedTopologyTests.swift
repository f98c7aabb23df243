import Foundation
import Fuzzing
import Testing

/// Promised and observed verdicts of stacks that nobody has thought up: seeded, so each can be had again by its number.
///
/// `tools/test --long` runs 200. `STACK_TOPOLOGIES=1 STACK_FIRST_TOPOLOGY=17` runs number 17 alone.
@Suite struct GeneratedTopologyTests {
  private static func number(_ name: String, or standard: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? standard
  }

  @Test func packetsDoWhatTheFileSays() throws {
    let first = Self.number("STACK_FIRST_TOPOLOGY", or: 1)
    let count = Self.number("STACK_TOPOLOGIES", or: TestExtent.size(200, sample: 6))
    try ThrowawayHost.with { host in
      for seed in first..<first + count {
        let text = GeneratedTopology(seed: UInt64(seed)).text
        try host.write(text, to: "g.stack")
        let up = try host.run("stack", "up", "g.stack", limit: .seconds(120))
        guard up.status == 0 else {
          Issue.record("topology \(seed): \(up)\n\(text)")
          continue
        }
        let outcome = try host.run("stack", "verify", "g", "--format", "table", limit: .seconds(120))
        #expect(outcome.status == 0, "topology \(seed): \(outcome)\n\(text)")
        try host.succeed("stack", "down", "g")
      }
    }
  }
}

/// A stack file made by chance: networks of one family or two, services in one or two of them, ports, rules, and sometimes a
/// router with a host on a cable behind it.
private struct GeneratedTopology {
  let text: String

  init(seed: UInt64) {
    var chance = SeededGenerator(seed: seed &* 7919)
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &chance) }
    func happens(_ percent: Int) -> Bool { pick(1...100) <= percent }
    let networks = (1...pick(1...3)).map { "net\($0)" }
    let names = (1...pick(2...6)).map { happens(50) ? "web\($0)" : "db\($0)" }
    var lines = ["name: g", "services:"]
    for (number, name) in names.enumerated() {
      let joined = networks.shuffled(using: &chance).prefix(happens(40) ? 2 : 1)
      var keys = ["command: [sleep, infinity]", "networks: [\(joined.joined(separator: ", "))]"]
      if happens(30) { keys.append("labels: {tier: \(happens(50) ? "one" : "two")}") }
      // A range: where a service may listen, which `up` does not wait for.
      if happens(40) { keys.append("ports: [\"\(8000 + 10 * number)-\(8001 + 10 * number):80-81\"]") }
      lines.append("  \(name): {\(keys.joined(separator: ", "))}")
    }
    // Nothing can be decided on a cable, and a file that denies there is refused.
    let hasCable = happens(30)
    if hasCable {
      lines += [
        "  router: {command: [sleep, infinity], networks: [net1], forward: true}",
        "  leaf: {command: [sleep, infinity], network_mode: none, routes: [\"default via 10.76.0.1\"]}",
        "  near: {command: [sleep, infinity], networks: [net1], routes: [\"10.76.0.0/30 via router\"]}",
      ]
    }
    lines.append("networks:")
    for (number, network) in networks.enumerated() {
      let keys =
        ["subnet: 10.77.\(number).0/24"] + (happens(25) ? ["internal: true"] : [])
        + (happens(30) ? ["default: deny"] : []) + (happens(30) ? ["enable_ipv6: true"] : [])
      lines.append("  \(network): {\(keys.joined(separator: ", "))}")
    }
    if hasCable { lines += ["links:", "  - ends: {router: 10.76.0.1/30, leaf: 10.76.0.2/30}"] }
    let rules = (0..<pick(0...7)).map { _ in
      let peers =
        names + ["web*", "db*", "any", "host", "internet"] + networks.map { "network:\($0)" }
        + networks.indices.map { "10.77.\($0).0/30" }
      let ports = ["", ":80", ":80/tcp", ":53/udp", ":80-81", ":icmp", ":udp"]
      func side() -> String {
        (0..<(happens(25) ? 2 : 1)).map { _ in peers[pick(0...peers.count - 1)] }.joined(separator: ",")
      }
      let action = happens(50) || hasCable ? "allow" : "deny"
      return "  - \(action): \(side()) -> \(side())\(ports[pick(0...ports.count - 1)])"
    }
    if !rules.isEmpty { lines += ["policies:"] + rules }
    text = lines.joined(separator: "\n") + "\n"
  }
}
