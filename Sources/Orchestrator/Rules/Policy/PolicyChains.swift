import Addresses
import Intent
import Netfilter
import Vocabulary

/// Chains and rules that only stacks with a policy need: those with rules, or with a network that is closed by default.
struct PolicyChains {
  static let refuse = "refuse"

  private let stack: DesiredStack
  private let tables: PolicyTables
  private let counts: [NftCounter]

  /// - Parameter counts: what the counters begin from: those of a table that this one replaces.
  init(_ stack: DesiredStack, counts: [NftCounter] = []) {
    self.stack = stack
    tables = PolicyTables(stack)
    self.counts = counts
  }

  var chains: [NftChain] {
    [
      output, judge, leaveByRules, toHost, linkLocal, linkLocalOfHost, fromHost, unruled, enterByDefault,
      leaveByDefault, first, refuse,
    ] + tables.chains
  }

  var sets: [NftSet] {
    let closed = Set(stack.policy.closedNetworks)
    var sets = [
      NftSet(
        "closed", key: [.interfaceName],
        elements: stack.networks.filter { closed.contains($0.name) }.map { NftElement(.interface($0.bridge)) },
        comment: "networks that are closed by default")
    ]
    for family in families {
      sets.append(
        NftSet(
          "inner\(family.suffix)", key: [family.type], isInterval: true,
          elements: subnets(family).map { NftElement(.prefix($0)) }, comment: "the stack's own addresses"))
      sets.append(
        NftSet(
          "inner_closed\(family.suffix)", key: [family.type], isInterval: true,
          elements: subnets(family, of: closed).map { NftElement(.prefix($0)) },
          comment: "of networks that are closed by default"))
      sets.append(
        NftSet(
          "hosts\(family.suffix)", key: [family.type],
          elements: stack.networks.flatMap(\.gateways).filter(family.holds).map { NftElement(.address($0)) },
          comment: "the host's own of them"))
    }
    return sets
  }

  var maps: [NftMap] { tables.maps }

  var counters: [NftCounter] {
    let before = counts.keyed(by: \.name)
    return tables.counterNames.map { before[$0] ?? NftCounter($0) }
  }

  /// Of the forward hook, in the place of what a stack without rules has there.
  var forwardRules: [NftRule] {
    let toBridges = NftMatch.set([.outputInterface], named: "bridges")
    return [
      // Packets to groups were judged at each port: see `PortJudgement`.
      NftRule(
        [.field(.mark, .mark(PacketMark.judged)), .set([.inputInterface, .outputInterface], named: "within")], .accept),
      NftRule([toBridges, .set([.inputInterface], named: "bridges")], .verdict(.goto("judge"))),
      // Packets from outside, and those that the kernel bridges back (see `translateHairpin`).
      NftRule([toBridges, .status(.destinationTranslated)], .verdict(.goto("judge"))),
      NftRule([toBridges], .drop),
      NftRule([.set([.inputInterface], named: "internal")], .verdict(.goto("leave_internal"))),
      NftRule([.set([.inputInterface], named: "bridges")], .verdict(.goto("leave_by_rules"))),
    ]
  }

  /// Behind those of the input hook that every stack has.
  var inputRules: [NftRule] {
    [NftRule([.set([.inputInterface], named: "bridges")], .verdict(.goto("to_the_host")))]
  }

  /// Services of an internal network have no route to those whom a rule lets in: they answer the host.
  var translations: [NftRule] {
    [
      NftRule(
        [.set([.inputInterface], named: "open"), .set([.outputInterface], named: "internal")], .masquerade)
    ]
  }

  // MARK: Where packets come in

  /// By address: what was sent to a published port of the host still names the link that it would have left by.
  private var output: NftChain {
    NftChain(
      "output", base: NftBase(.filter, .output, priority: 0),
      rules: [NftRule([.state([.established, .related])], .accept)] + answers
        + families.map { family in
          NftRule(
            [
              .set([family.destination], named: "inner\(family.suffix)"),
              .set([family.destination], .notEqual, named: "hosts\(family.suffix)"),
            ], .verdict(.goto("from_the_host")))
        })
  }

  /// Answers to questions for names, which are not tracked either.
  private var answers: [NftRule] {
    families.flatMap { family in
      [NftValue.udp, .tcp].map { transport in
        NftRule(
          [
            .state(.untracked), .field(.transportProtocol, transport), .field(.sourcePort, .port(53)),
            .set([family.source], named: "hosts\(family.suffix)"),
          ], .accept)
      }
    }
  }

  private var judge: NftChain {
    NftChain(
      "judge",
      rules: [Self.checkFirst] + tables.lookUps(.forward) + [NftRule([], .verdict(.goto("unruled")))],
      comment: "what enters the stack's networks")
  }

  private var leaveByRules: NftChain {
    NftChain(
      "leave_by_rules",
      rules: [Self.checkFirst, Self.toLinkLocal(.goto("link_local"))] + tables.lookUps(.forward)
        + [NftRule([], .verdict(.goto("leave_by_default")))])
  }

  /// Names are always to be had. Before anything is asked about the connection: questions for names are not tracked.
  private var toHost: NftChain {
    let names = families.flatMap { family in
      [NftValue.udp, .tcp].map { transport in
        NftRule(
          [
            .field(.transportProtocol, transport), .field(.destinationPort, .port(53)),
            .set([family.destination], named: "hosts\(family.suffix)"),
          ], .accept)
      }
    }
    return NftChain(
      "to_the_host",
      rules: names + [Self.checkFirst, Self.toLinkLocal(.goto("link_local_of_host"))] + tables.lookUps(.toHost) + [
        NftRule([], .verdict(.goto("leave_by_default")))
      ])
  }

  /// Packets to ``LinkLocal`` addresses.
  private var linkLocal: NftChain {
    NftChain(
      "link_local", rules: tables.lookUps(.linkLocal) + [NftRule([], .verdict(.goto("leave_internal")))],
      comment: "packets to link-local addresses beyond the stack's networks")
  }

  private var linkLocalOfHost: NftChain {
    NftChain(
      "link_local_of_host",
      rules: tables.lookUps(.linkLocalOfHost) + [NftRule([], .verdict(.goto("leave_internal")))],
      comment: "the same, for addresses of the host")
  }

  private static func toLinkLocal(_ verdict: NftVerdict) -> NftRule {
    NftRule([Firewall.toLinkLocal], .verdict(verdict))
  }

  private var fromHost: NftChain {
    NftChain(
      "from_the_host",
      rules: [Self.checkFirst] + tables.lookUps(.fromHost)
        + families.map { family in
          NftRule(
            [.set([family.destination], named: "inner_closed\(family.suffix)")], .verdict(.goto(Self.refuse)))
        } + [NftRule([], .accept)])
  }

  // MARK: What no rule is about

  private var unruled: NftChain {
    NftChain(
      "unruled",
      rules: [
        Firewall.keepPublished,
        NftRule([.set([.inputInterface, .outputInterface], named: "within")], .verdict(.goto("enter_by_default"))),
        NftRule([.status(.destinationTranslated)], .verdict(.goto("enter_by_default"))),
        NftRule([], .drop),
      ])
  }

  private var enterByDefault: NftChain {
    NftChain(
      "enter_by_default",
      rules: [
        NftRule([.set([.outputInterface], named: "closed")], .verdict(.goto(Self.refuse))), NftRule([], .accept),
      ])
  }

  private var leaveByDefault: NftChain {
    NftChain(
      "leave_by_default",
      rules: [
        NftRule([.set([.inputInterface], named: "internal")], .verdict(.goto("leave_internal"))),
        NftRule([.set([.inputInterface], named: "closed")], .verdict(.goto(Self.refuse))), NftRule([], .accept),
      ])
  }

  // MARK: Before the rules, and after

  private static let checkFirst = NftRule([], .verdict(.jump("first")))

  /// Rules decide only on packets that open a connection. A packet from the middle of an unknown one belongs to a connection
  /// that was cut. As a new one, it would pass wherever its answers may go.
  private var first: NftChain {
    NftChain(
      "first",
      rules: [
        // Neighbour discovery (RFC 4861) is how IPv6 finds hardware addresses: no rule is about it.
        NftRule(neighbourDiscovery(133...137), .accept),
        NftRule([.state(.invalid)], .drop),
        NftRule([.tcpFlags(.syn, of: [.syn, .ack, .rst, .fin], .notEqual)], .reject(.tcpReset)),
      ])
  }

  /// Those of the stack and the host are told at once; the outside is told nothing.
  private var refuse: NftChain {
    NftChain(
      Self.refuse,
      rules: families.map { family in
        NftRule([.set([family.source], named: "inner\(family.suffix)")], .verdict(.goto("leave_internal")))
      } + [
        NftRule([.field(.sourceType, .local)], .verdict(.goto("leave_internal"))), NftRule([], .drop),
      ])
  }

  private var families: [AddressFamily] { [.v4, .v6].filter { !subnets($0).isEmpty } }

  private func subnets(_ family: AddressFamily, of names: Set<String>? = nil) -> [IPPrefix] {
    stack.networks.filter { names?.contains($0.name) ?? true }.flatMap(\.subnets).filter { family.holds($0.network) }
  }
}
