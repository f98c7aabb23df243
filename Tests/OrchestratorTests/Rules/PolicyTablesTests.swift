import Fuzzing
import Glibc
import TestSupport
import Testing
@testable import Addresses
@testable import Intent
@testable import Kernel
@testable import Netfilter
@testable import Planning
@testable import Resolve
@testable import Rules

@Suite struct PolicyTablesTests {
  private static let text = """
    name: shop
    services:
      web: {command: [x], networks: [front], scale: 2, ports: ["80"], labels: {tier: web}}
      api: {command: [x], networks: [front, back]}
      db: {command: [x], networks: [back]}
    networks:
      front: {default: deny}
      back: {internal: true}
    policies:
      - allow: network:front -> api:80,443
      - deny: web-2 -> db
      - allow: label:tier=web -> db:5432-5440,icmp
      - allow: 203.0.113.0/24 -> web:80
      - allow: any -> internet:53/udp
      - deny: any -> host:22
    """

  @Test func theTableOfAStackWithRules() throws {
    try Golden.expect(Firewall(try resolve(Self.text)).table.rendered, "policy.nft")
  }

  /// nft itself reads it, in a network namespace that is gone afterwards. As root only.
  @Test(.enabled(if: geteuid() == 0))
  func nftAcceptsIt() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/table.nft"
    let table = Firewall(try resolve(Self.text), counts: []).table
    try Files.overwrite(path, with: Array(table.rendered.utf8), mode: [.ownerReadWrite])
    let outcome = shell("unshare -n nft -c -f \(path)")
    #expect(outcome.status == 0, "\(outcome.output)")
  }

  @Test func aStackWithoutRulesHasNothingOfIt() throws {
    let table = Firewall(try resolve("services: {a: {command: [x]}}\nexpect: [allow: host -> a]")).table
    #expect(table.counters.isEmpty)
    #expect(!table.chains.contains { $0.name == "judge" })
  }

  @Test func countersGoOnWithTheirRuleWhereverItStands() throws {
    func stack(_ rules: String) throws -> DesiredStack {
      try resolve("services: {a: {command: [x]}, b: {command: [x]}}\npolicies: [\(rules)]")
    }
    let before = Firewall(try stack("deny: a -> b, allow: b -> a")).table.counters
    let counts = before.map { NftCounter($0.name, packets: 7, bytes: 420) }
    let after = Firewall(try stack("allow: any -> a:80, allow: b -> a, allow: b -> a"), counts: counts).table.counters
    #expect(after.map(\.packets) == [0, 7, 0])
    #expect(Set(after.map(\.name)).count == 3)
  }

  @Test func onlyBridgesThatRulesAreAboutAreFiltered() throws {
    func filtered(_ rules: String, front: String = "") throws -> Set<String> {
      let stack = try resolve(
        """
        services:
          a: {command: [x], networks: [front]}
          b: {command: [x], networks: [front]}
          c: {command: [x], networks: [back]}
          d: {command: [x], networks: [back]}
        networks: {front: {\(front)}, back: {}}
        policies: [\(rules)]
        """)
      return stack.policy.filteredNetworks(of: stack)
    }
    #expect(try filtered("deny: a -> b") == ["front"])
    #expect(try filtered("allow: a -> c") == [])
    #expect(try filtered("allow: a -> internet, deny: host -> c") == [])
    #expect(try filtered("deny: any -> internet", front: "enable_ipv6: true") == [])
    #expect(try filtered("deny: any -> c") == ["back"])
    #expect(try filtered("deny: any -> any") == ["front", "back"])
    #expect(try filtered("", front: "default: deny") == ["front"])
  }

  @Test func aKernelThatCannotFilterWithinANetworkIsToldOfInOneLine() throws {
    var facts = HostFacts(pools: AddressAllocator.defaultPools)
    facts.canFilterBridges = false
    let rules = "services: {a: {command: [x]}, b: {command: [x]}}\npolicies: [deny: a -> b]"
    let errors = obstacles(rules, on: facts)
    #expect(errors.count == 1)
    #expect(errors.first.map { "\($0)" }?.contains("br_netfilter is not loaded") == true)
    #expect(obstacles("services: {a: {command: [x]}}\npolicies: [deny: a -> internet]", on: facts).isEmpty)
  }

  /// A change of rules replaces the table, filters more bridges and ends connections. No service is made anew.
  @Test func aChangeOfRulesMakesNothingAnew() throws {
    let services = "services: {a: {command: [x]}, b: {command: [x]}}"
    let before = try resolve(services)
    let after = try resolve("\(services)\npolicies: [deny: a -> b]", previous: before)
    let plan = Planner.up(after, recorded: before, observed: before.all(.running))
    #expect(plan.short == ["record", "folders", "host root", "prepare", "firewall", "filter", "end flows"])
    #expect(plan.why == ["policies: added deny: a -> b"])
    let more = try resolve("\(services)\npolicies: [deny: a -> b, deny: b -> a]", previous: after)
    let second = Planner.up(more, recorded: after, observed: after.all(.running))
    #expect(second.short.suffix(2) == ["firewall", "end flows"])
    #expect(Planner.up(before, recorded: more, observed: more.all(.running)).short.suffix(2) == ["firewall", "filter"])
  }

  // MARK: The compiled tables say what the evaluator says

  /// A thousand rules are passed in as many steps as ten.
  @Test func theStepsOfAPacketDoNotGrowWithTheRules() throws {
    func longest(_ count: Int) throws -> Int {
      let rules = (0..<count).map { "deny: \"10.9.\($0 / 250).\($0 % 250) -> b:\($0 + 1)\"" }.joined(separator: ", ")
      let stack = try resolve("services: {a: {command: [x]}, b: {command: [x]}}\npolicies: [\(rules)]")
      let walk = TableWalk(stack)
      let target = try #require(stack.service(named: "b")?.attachments.first?.address)
      var most = 0
      for number in 0..<count {
        let source = try #require(IPv4Address("10.9.\(number / 250).\(number % 250)"))
        let found = walk.rule(.forward, from: .v4(source), to: .v4(target), .tcp(UInt16(number + 1)))
        #expect(found.rule == number)
        most = max(most, found.steps)
      }
      return most
    }
    #expect(try longest(10) == longest(1000))
  }

  @Test(arguments: 0..<40)
  func tablesAndEvaluatorAgree(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let stack = try resolve(Self.randomStack(&random))
    let walk = TableWalk(stack)
    let evaluator = PolicyEvaluator(stack)
    let hosts = stack.networks.flatMap(\.gateways)
    let outside = ["203.0.113.9", "192.0.2.1", "169.254.169.254"].compactMap { IPAddress($0) }
    let own = IPAddress("169.254.1.1")
    let inner = stack.services.flatMap(\.attachments).flatMap(\.addresses)
    for _ in 0..<300 {
      let packet: PolicyPacket =
        [
          .tcp(UInt16.random(in: 1...6, using: &random)), .udp(UInt16.random(in: 1...6, using: &random)), .icmp,
          .other(132),
        ]
        .randomElement(using: &random) ?? .icmp
      guard let source = (inner + outside + hosts).randomElement(using: &random),
        let destination = (inner + outside + hosts + [own].compactMap(\.self)).randomElement(using: &random)
      else { continue }
      let direction: PolicyTables.Direction =
        if destination == own {
          .linkLocalOfHost
        } else if LinkLocal.contains(destination) {
          .linkLocal
        } else {
          hosts.contains(source) ? .fromHost : hosts.contains(destination) ? .toHost : .forward
        }
      guard inner.contains(source) || !LinkLocal.contains(destination) else { continue }
      guard
        let decision = evaluator.decision(
          from: source, to: destination, packet, isPublished: outside.contains(source),
          hostAddresses: Set([own].compactMap(\.self)))
      else { continue }
      let found = walk.rule(direction, from: source, to: destination, packet).rule
      switch decision.reason {
      case .rule(let number): #expect(found == number, "\(source) -> \(destination) \(packet)")
      case .networkDefault, .linkLocal: #expect(found == nil, "\(source) -> \(destination) \(packet)")
      default: break
      }
    }
  }

  private static func randomStack(_ random: inout SeededGenerator) -> String {
    func pick(_ words: [String]) -> String { words.randomElement(using: &random) ?? "" }
    let peers = [
      "a", "b", "c*", "?", "d-2", "network:front", "network:back", "label:tier=x", "host", "internet", "any",
      "203.0.113.0/24", "169.254.0.0/16", "169.254.169.254", "169.254.1.0/24", "169.0.0.0/8",
      "10.1.0.0/25", "10.1.0.3", "0.0.0.0/0",
    ]
    let ports = ["", "", ":1", ":2-4", ":3/udp", ":icmp", ":tcp", ":udp,1-2", ":5,6/udp,icmp"]
    let rules = (0..<Int.random(in: 1...12, using: &random)).map { _ in
      "  - \(pick(["allow", "deny"])): \"\(pick(peers)),\(pick(peers)) -> \(pick(peers))\(pick(ports))\""
    }
    return """
      services:
        a: {command: [x], networks: [front], labels: {tier: x}}
        b: {command: [x], networks: [front, back]}
        c1: {command: [x], networks: [back], labels: {tier: x}}
        d: {command: [x], networks: [front], scale: 2}
      networks: {front: {subnet: 10.1.0.0/24, default: \(pick(["allow", "deny"]))}, back: {subnet: 10.2.0.0/24}}
      policies:
      \(rules.joined(separator: "\n"))
      """
  }
}

/// Goes through compiled tables as the kernel would.
private struct TableWalk {
  private let chains: [String: NftChain]
  private let maps: [String: NftMap]

  init(_ stack: DesiredStack) {
    let tables = PolicyTables(stack)
    chains = Dictionary(tables.chains.map { ($0.name, $0) }) { first, _ in first }
    maps = Dictionary(tables.maps.map { ($0.name, $0) }) { first, _ in first }
  }

  /// The rule that a packet comes to, and by how many look-ups.
  func rule(
    _ direction: PolicyTables.Direction, from source: IPAddress, to destination: IPAddress, _ packet: PolicyPacket
  ) -> (rule: Int?, steps: Int) {
    let name = PolicyTables.map(direction, .v4)
    guard let map = maps[name], let verdict = find([.address(destination)], in: map) else { return (nil, 1) }
    let found = follow(verdict, source, packet)
    return (found.rule, found.steps + 1)
  }

  private func follow(_ verdict: NftVerdict, _ source: IPAddress, _ packet: PolicyPacket) -> (rule: Int?, steps: Int) {
    guard let name = verdict.target, let chain = chains[name] else { return (nil, 0) }
    if name.hasPrefix("rule_") { return (Int(name.dropFirst("rule_".count)).map { $0 - 1 }, 0) }
    var steps = 0
    for rule in chain.rules {
      steps += 1
      guard rule.matches.allSatisfy({ holds($0, packet) }) else { continue }
      for statement in rule.statements {
        var next: NftVerdict?
        if case .verdict(let given) = statement { next = given }
        if case .verdictMap(let fields, let map) = statement, let map = maps[map] {
          next = find(fields == [.ipSource] ? [.address(source)] : key(packet), in: map)
        }
        guard let next else { continue }
        let found = follow(next, source, packet)
        return (found.rule, found.steps + steps)
      }
    }
    return (nil, steps)
  }

  private func holds(_ match: NftMatch, _ packet: PolicyPacket) -> Bool {
    if case .anyOf(.transportProtocol, _, let values) = match { return packet == .icmp && values.contains(.icmp) }
    return false
  }

  private func key(_ packet: PolicyPacket) -> [NftValue] {
    switch packet {
    case .tcp(let port): [.tcp, .port(port)]
    case .udp(let port): [.udp, .port(port)]
    case .icmp: [.icmp, .port(0)]
    case .other(let number): [.transport(number), .port(0)]
    }
  }

  private func find(_ key: [NftValue], in map: NftMap) -> NftVerdict? {
    let element = map.elements.first { element in zip(element.key, key).allSatisfy { Self.holds($0, $1) } }
    guard case .verdict(let verdict)? = element?.target else { return nil }
    return verdict
  }

  private static func holds(_ value: NftValue, _ wanted: NftValue) -> Bool {
    switch (value, wanted) {
    case (.addresses(let first, let last), .address(let address)): first <= address && address <= last
    case (.ports(let range), .port(let port)): range.contains(port)
    default: value == wanted
    }
  }
}

extension NftVerdict {
  fileprivate var target: String? {
    switch self {
    case .jump(let chain), .goto(let chain): chain
    case .accept, .drop, .return: nil
    }
  }
}
