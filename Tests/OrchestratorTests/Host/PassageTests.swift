import Testing
@testable import Host
@testable import Netfilter
@testable import Netlink

/// The findings about other programs' firewalls, and the commands that let a stack's packets pass.
@Suite struct PassageTests {
  private let table = NftTableName(.ip, "filter")

  private func rule(_ handle: UInt64, _ chain: String, _ outcome: NftRuleSummary.Outcome, comment: String? = nil)
    -> NftRuleSummary
  {
    var rule = NftRuleSummary(table: table, chain: chain, handle: handle)
    (rule.outcome, rule.comment) = (outcome, comment)
    return rule
  }

  @Test func bridgesAreLetThroughAtTheHeadOfDockersChainForOthers() throws {
    let passage = Passage(stack: "web", bridges: ["web-front"])
    let gate = Passage.docker[0]
    var expected = NftTransaction()
    for field in [NftField.inputInterface, .outputInterface] {
      expected.insert(
        NftRule([.field(field, .interface("web-front"))], [.counter, .accept], comment: "stack:web"),
        atTheHeadOf: "DOCKER-USER", in: table)
    }
    #expect(passage.change(at: gate, existing: [rule(7, "DOCKER-USER", .other)]) == expected)
  }

  @Test func whatIsThereIsLeftAloneAndWhatIsIncompleteIsMadeAnew() {
    let passage = Passage(stack: "web", bridges: ["web-front"])
    let gate = Passage.docker[0]
    let own = [
      rule(8, "DOCKER-USER", .accept, comment: "stack:web"), rule(9, "DOCKER-USER", .accept, comment: "stack:web"),
    ]
    let others = [
      rule(1, "DOCKER-USER", .accept, comment: "stack:other"), rule(2, "FORWARD", .accept, comment: "stack:web"),
    ]
    #expect(passage.change(at: gate, existing: own + others) == nil)
    var expected = NftTransaction()
    expected.deleteRule(8, of: "DOCKER-USER", in: table)
    for rule in passage.rules(at: gate) { expected.insert(rule, atTheHeadOf: "DOCKER-USER", in: table) }
    #expect(passage.change(at: gate, existing: [own[0]] + others) == expected)
    var removal = NftTransaction()
    removal.deleteRule(8, of: "DOCKER-USER", in: table)
    removal.deleteRule(9, of: "DOCKER-USER", in: table)
    #expect(Passage.removal(of: "web", at: gate, existing: own + others) == removal)
    #expect(Passage.removal(of: "none", at: gate, existing: own + others) == nil)
  }

  private func chain(_ name: String, _ hook: NftHook, _ policy: NftBase.Policy) -> NftBaseChainSummary {
    NftBaseChainSummary(table: table, chain: name, type: .filter, hook: hook, priority: 0, policy: policy)
  }

  @Test func aChainIsClosedByItsPolicyOrByARuleThatAsksNothing() {
    var asking = rule(3, "FORWARD", .drop)
    asking.isUnconditional = false
    let open = [chain("FORWARD", .forward, .accept)]
    #expect(
      ClosedChain.find(open, rules: [table: [asking, rule(4, "FORWARD", .accept), rule(5, "OTHER", .drop)]]).isEmpty)
    let closed = ClosedChain.find(open, rules: [table: [asking, rule(6, "FORWARD", .reject)]])
    #expect(closed.map(\.place) == ["table ip filter chain FORWARD rule 6"])
    #expect(closed.map(\.deed) == ["rejects what comes to it"])
    #expect(
      ClosedChain.find([chain("FORWARD", .forward, .drop), chain("OUTPUT", .output, .drop)], rules: [:]).map(\.place)
        == [
          "table ip filter chain FORWARD"
        ])
  }

  @Test func upSaysWhichChainDropsAndWhatToDo() throws {
    let stack = try resolve(
      """
      services:
        web: {command: [x], networks: [front]}
      networks: {front: }
      """)
    let docker = try #require(ClosedChain.find([chain("FORWARD", .forward, .drop)], rules: [:]).first)
    #expect(stack.warning(of: docker, hasGate: true)?.contains("let through in Docker's chain DOCKER-USER") == true)
    #expect(
      stack.warning(of: docker, hasGate: false)
        == """
        table ip filter chain FORWARD drops what it does not know (policy drop): what services send out and what is published \
        is lost there; to let it pass:
          nft 'insert rule ip filter FORWARD iifname "web-front" accept'
          nft 'insert rule ip filter FORWARD oifname "web-front" accept'
        """)
    let input = try #require(ClosedChain.find([chain("INPUT", .input, .drop)], rules: [:]).first)
    #expect(
      stack.warning(of: input, hasGate: false)
        == """
        table ip filter chain INPUT drops what it does not know (policy drop): services get no names, which they ask the host \
        for; to let them ask:
          for p in udp tcp; do iptables -I INPUT -i web-front -p $p --dport 53 -j ACCEPT; done
        """)
  }

  /// Whoever has done what `up` said is not told again.
  @Test func aChainThatLetsTheBridgeInIsNotSpokenOf() throws {
    let stack = try resolve(
      """
      services:
        web: {command: [x], networks: [front, back]}
      networks: {front: , back: }
      """)
    func said(_ rules: [(inputs: [String], ports: [UInt16])], ufw: Bool = false) throws -> String? {
      let accepting = rules.enumerated().map { number, asked in
        var rule = rule(UInt64(number), ufw ? "ufw-user-input" : "INPUT", .accept)
        (rule.inputs, rule.ports, rule.isUnconditional) = (asked.inputs, asked.ports, false)
        return rule
      }
      let jump = ufw ? [rule(99, "ufw-before-input", .other)] : []
      let closed = try #require(
        ClosedChain.find([chain("INPUT", .input, .drop)], rules: [table: accepting + jump]).first)
      return stack.warning(of: closed, hasGate: false)?.split(separator: "\n").last.map(String.init)
    }
    #expect(try said([(["web-front"], []), (["web-back"], [53])]) == nil)
    #expect(try said([(["web-*"], [53])]) == nil)
    #expect(
      try said([(["web-*"], [80])])
        == "  for p in udp tcp; do iptables -I INPUT -i web-front -p $p --dport 53 -j ACCEPT; "
        + "iptables -I INPUT -i web-back -p $p --dport 53 -j ACCEPT; done")
    #expect(try said([(["web-front"], [])], ufw: true) == "  ufw allow in on web-back to any port 53")
    let other = ClosedChain(table: NftTableName(.inet, "fw"), chain: "in", hook: .input, reason: .policy)
    #expect(
      other.commandForNames(from: ["a", "b"])
        == "nft 'insert rule inet fw in iifname { \"a\", \"b\" } meta l4proto { tcp, udp } th dport 53 accept'")
  }
}
