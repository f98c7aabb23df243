import Testing
@testable import Host
@testable import Intent
@testable import Netfilter
@testable import Netlink
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import Vocabulary

/// Delay, loss and rate of a link, from the file to the qdiscs.
@Suite struct LinkConditionTests {
  private static func stack(_ attachment: String, on facts: HostFacts? = nil, previous: DesiredStack? = nil) throws
    -> DesiredStack
  {
    try resolve(
      """
      services:
        web: {command: [x], networks: {front: {\(attachment)}}}
      networks: {front: }
      """, on: facts ?? HostFacts.using(), previous: previous)
  }

  private static func conditions(_ attachment: String) throws -> LinkConditions? {
    try stack(attachment).services[0].attachments[0].conditions
  }

  @Test func aKeyHoldsForBothWaysUnlessOneSaysOtherwise() throws {
    let conditions = try #require(
      try Self.conditions("rate: 10mbit, delay: 50ms, jitter: 5ms, ingress: {delay: 20ms, loss: 1%}"))
    #expect("\(conditions.egress)" == "rate 10mbit, delay 50ms ± 5ms")
    #expect("\(conditions.ingress)" == "rate 10mbit, delay 20ms ± 5ms, loss 1%")
    #expect(try Self.conditions("") == nil)
    #expect(try Self.conditions("loss: 0%") == nil)
    #expect(try Self.conditions("x-stack: {egress: {loss: 5%}}")?.egress.loss == Share(partsPerMillion: 50_000))
  }

  @Test func queuesStandOneWithinTheOther() {
    var condition = LinkCondition()
    condition.rate = BitRate(bitsPerSecond: 10_000_000)
    condition.loss = Share(partsPerMillion: 10_000)
    func places(_ condition: LinkCondition, emulates: Bool = true) -> [String] {
      LinkQueues(condition, on: 7, mtu: 1500, emulates: emulates).disciplines.map {
        "\($0.kind.name) \($0.major): \($0.place)"
      }
    }
    #expect(places(condition) == ["tbf 1: root", "netem 2: below(major: 1, minor: 1)"])
    #expect(places(condition, emulates: false) == ["tbf 1: root"])
    condition.rate = nil
    #expect(places(condition) == ["netem 2: root"])
    #expect(places(LinkCondition()) == [])
  }

  @Test func aBucketHasRoomForAPacketAtAnyRate() {
    let slow = TokenBucket(BitRate(bitsPerSecond: 1000), mtu: 9000)
    #expect((slow.rate, slow.burst, slow.limit) == (125, 9022, 2 * 9022))
    let usual = TokenBucket(BitRate(bitsPerSecond: 10_000_000), mtu: 1500)
    #expect((usual.rate, usual.burst, usual.limit) == (1_250_000, 6250, 125_000))
    #expect(TokenBucket(BitRate(bitsPerSecond: 1_000_000_000_000), mtu: 1500).limit == .max)
    for rate: UInt64 in [64_000, 256_000, 1_000_000, 10_000_000, 1_000_000_000] {
      let bucket = TokenBucket(BitRate(bitsPerSecond: rate), mtu: 1500)
      let longest = max(rate / 80, 2 * 1522, UInt64(bucket.burst) + 1522)
      #expect(bucket.limit <= longest && bucket.burst >= 1522, "\(rate)")
    }
  }

  @Test func whatAKernelCannotDoIsRefusedWithItsPlace() {
    var facts = HostFacts.using()
    facts.emulatesNetworks = false
    let text = """
      services:
        web:
          command: [x]
          networks:
            front: {rate: 1mbit, loss: 1%}
            back:
              ingress: {delay: 5ms, jitter: 1ms}
      networks: {front: , back: }
      """
    let errors = obstacles(text, on: facts)
    #expect(errors.count == 1)
    #expect(
      errors.first?.description.hasPrefix(
        "web/web: cannot set delay, jitter on network back: this kernel has no netem\n  leave it out in web.stack:7, or "
      )
        == true)
    #expect(obstacles(text, on: HostFacts.using()).isEmpty)
  }

  @Test func otherConditionsMakeNoServiceAnew() throws {
    let before = try Self.stack("rate: 10mbit")
    let after = try Self.stack("rate: 5mbit", previous: before)
    let plan = Planner.up(after, recorded: before, observed: ["web": .running])
    #expect(plan.steps.filter { $0.service != nil }.map(\.short) == ["shape web"])
    #expect(plan.reasons.map(\.text) == ["its links changed"])
    #expect(
      Planner.undo(plan.steps, of: after, to: before).steps.compactMap { step -> LinkCondition? in
        guard case .shape(let service, _) = step else { return nil }
        return service.attachments[0].currentConditions.egress
      }.map(\.description) == ["rate 10mbit"])
    #expect(Planner.up(before, recorded: before, observed: ["web": .running]).steps.isEmpty)
  }

  @Test func aLinkBetweenServicesHasAConditionEachWay() throws {
    let text = """
      services:
        a: {command: [x], network_mode: none}
        b: {command: [x], network_mode: none}
      links:
        - ends:
            a: {address: 10.0.12.1/30, egress: {rate: 1mbit}, ingress: {loss: 2%}}
            b: {address: 10.0.12.2/30, egress: {loss: 3%}}
          rate: 2mbit
          delay: 5ms
      """
    let link = try #require(try resolve(text).links.first)
    #expect(link.first.condition.map(String.init(describing:)) == "rate 1mbit, delay 5ms")
    #expect(link.second.condition.map(String.init(describing:)) == "rate 2mbit, delay 5ms, loss 3%")
    var facts = HostFacts.using()
    facts.emulatesNetworks = false
    let errors = obstacles(text, on: facts)
    #expect(errors.count == 1)
    #expect(
      errors.first?.description.hasPrefix("web: cannot set delay on the link of a and b: this kernel has no netem")
        == true)
  }

  @Test func whatWasChangedByHandStays() throws {
    var before = try Self.stack("rate: 10mbit")
    var change = LinkOverride.Change()
    change.egress = LinkCondition()
    change.egress?.loss = Share(partsPerMillion: 10_000)
    before.services[0].attachments[0].override = LinkOverride(change)
    let after = try Self.stack("rate: 5mbit", previous: before)
    let attachment = after.services[0].attachments[0]
    #expect(attachment.shapeDescription == "egress loss 1%, ingress rate 5mbit")
    let commands = after.services[0].shapeCommands(in: after, isNew: true)
    // A burst of 5 ms, in octets, and a queue of 100 ms.
    #expect(
      commands[0] == "tc qdisc replace dev \(attachment.link) root handle 1: tbf rate 5mbit burst 3125b limit 62500b")
    // Where the kernel has no netem, what is lost is dropped on the way in.
    #expect(
      commands[1]
        == "if ! { tc -n web.web qdisc replace dev eth0 root handle 2: netem limit 1000 loss 1% 2>/dev/null; }; then")
    #expect(commands[2].contains("numgen random mod 1000000 < 10000 counter drop") && commands[3] == "fi")
  }

  @Test func lossWithoutNetemIsATableOfItsOwn() {
    let filter = LossFilter(stack: "web", service: "web1", losses: [("web1-abc", Share(partsPerMillion: 100_000))])
    var expected = NftTransaction()
    expected.replace(
      NftTable(
        .netdev, "stack-web/web1", comment: "stack:web",
        chains: [
          NftChain(
            "web1-abc", base: NftBase(.filter, .ingress(device: "web1-abc"), priority: -500),
            rules: [NftRule([.chance(partsPerMillion: 100_000)], [.counter, .drop])])
        ]))
    #expect(filter.transaction == expected)
    let name = LossFilter.tableName("web", "web1")
    #expect(Firewall.owner(of: name, comment: "stack:web") == "web")
    #expect(Firewall.owner(of: name, comment: "stack:other") == nil)
    #expect(Firewall.owner(of: NftTableName(.netdev, "stack-web"), comment: "stack:web") == nil)
  }
}
