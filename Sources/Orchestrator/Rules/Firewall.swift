import Addresses
import DNS
import Intent
import Netfilter
import Vocabulary

/// The nftables table of a stack: what may enter its networks, what is translated, and nothing else.
///
/// Each stack guards only what is its own, so stacks need not know each other to be apart. Services and ports stand in
/// sets and maps: the number of rules is the same for one service and for a thousand.
package struct Firewall {
  private(set) var stack: DesiredStack
  /// With networks that others guard.
  let whole: DesiredStack
  /// Nil where there is nothing to decide that is not so by itself.
  private let policy: PolicyChains?
  private let sharesConnections: Bool
  /// Bridges on which the stack's networks are, each with whose packets may come in by it.
  let residents: [Resident]

  /// - Parameters:
  ///   - counts: what the counters of rules begin from.
  ///   - sharesConnections: false for a kernel that does not count connections (CONFIG_NFT_CONNLIMIT).
  package init(_ stack: DesiredStack, counts: [NftCounter] = [], sharesConnections: Bool = true) {
    self.stack = stack
    self.sharesConnections = sharesConnections
    whole = stack
    // Each network is guarded by the stack that has made it; what is on a link of the host never comes by here, and of what is
    // without the host nothing may (``segmentChains``).
    self.stack.networks = stack.ownNetworks.filter { $0.hasBridge && $0.hasHost }
    residents = Self.residents(of: self.stack, whole)
    policy = stack.policy.isEmpty ? nil : PolicyChains(self.stack, counts: counts)
  }

  package var table: NftTable {
    NftTable(
      .inet, StackTable.name(of: stack.name), comment: StackTable.comment(of: stack.name),
      chains: [
        guardIncoming, fromNetwork(then: questionRules),
      ] + (sharesConnections ? [shareConnections] : []) + [
        answerNames, translateIncoming, translateLocal,
        translateSource, keepHome, forward,
      ] + (policy == nil ? [enter] : []) + [leaveInternal, input] + tunnelChains + loopback6Chains + segmentChains
        + (policy?.chains ?? []),
      sets: [bridges, innerPairs, openBridges, internalBridges, ownGateways, nameServers] + ipv6Sets
        + sourceSets + segmentSets + detourSets + (sharesConnections ? connectionSets : []) + (policy?.sets ?? []),
      maps: [sourceMap, exitMap] + publishedMaps + (policy?.maps ?? []), counters: policy?.counters ?? [])
  }

  /// Puts the table in the place of the stack's former one: packets meet the one or the other.
  package var transaction: NftTransaction {
    var transaction = NftTransaction()
    for table in tables { transaction.replace(table) }
    return transaction
  }

  /// All that stands in nftables for the stack but what is done to it by hand. Both are replaced at once.
  package var tables: [NftTable] { [table] + [PortGuard(whole)].filter { !$0.isEmpty }.map(\.table) }

  /// Deletes the tables of a stack if they are there.
  package static func removal(of stack: String) -> NftTransaction {
    var transaction = NftTransaction()
    for table in [NftTableName(.inet, StackTable.name(of: stack)), PortGuard.tableName(stack)] {
      transaction.deleteIfPresent(table, comment: StackTable.comment(of: stack))
    }
    return transaction
  }

  // MARK: Sets and maps

  private var bridges: NftSet {
    NftSet(
      "bridges", key: [.interfaceName], elements: stack.networks.map { NftElement(.interface($0.bridge)) },
      comment: "the networks of the stack")
  }

  private var innerPairs: NftSet {
    NftSet(
      "within", key: [.interfaceName, .interfaceName],
      elements: stack.networks.map { NftElement(.interface($0.bridge), .interface($0.bridge)) },
      comment: "from a network to itself")
  }

  private var openBridges: NftSet {
    NftSet(
      "open", key: [.interfaceName],
      elements: stack.networks.filter { !$0.isInternal }.map { NftElement(.interface($0.bridge)) },
      comment: "networks with a way out")
  }

  private var internalBridges: NftSet {
    NftSet(
      "internal", key: [.interfaceName],
      elements: stack.networks.filter(\.isInternal).map { NftElement(.interface($0.bridge)) },
      comment: "networks without a way out")
  }

  private var ownGateways: NftSet {
    NftSet(
      "own_gateway", key: [.interfaceName, .ipv4Address],
      elements: stack.networks.flatMap { network in
        [network.gateway, network.subnet.last].uniqued().map {
          NftElement(.interface(network.bridge), .address(.v4($0)))
        }
      },
      comment: "addresses of the host that a network may talk to: its own, and that of everybody")
  }

  private var nameServers: NftSet {
    let transports: [NftValue] = [.udp, .tcp]
    return NftSet(
      "names", key: [.interfaceName, .ipv4Address, .transportProtocol, .port],
      elements: stack.networks.flatMap { network in
        transports.map {
          NftElement(.interface(network.bridge), .address(.v4(network.gateway)), $0, .port(DNSPort.standard))
        }
      },
      comment: "where a network is told names")
  }

  // MARK: Before connection tracking

  private var guardIncoming: NftChain {
    NftChain("guard_incoming", base: NftBase(.filter, .prerouting, priority: -300), rules: entryRules)
  }

  /// Questions for names are not tracked: each would fill a place in the host's table for half a minute. And a stack
  /// that publishes port 53 on all addresses of the host would receive them.
  private var questionRules: [NftRule] { [NftRule([toNames], .notrack)] + ipv6QuestionRules }

  private var answerNames: NftChain {
    NftChain(
      "answer_names", base: NftBase(.filter, .output, priority: -300),
      rules: [
        NftRule([.set([.outputInterface, .ipSource, .transportProtocol, .sourcePort], named: "names")], .notrack)
      ] + ipv6AnswerRules)
  }

  private var toNames: NftMatch {
    .set([.inputInterface, .ipDestination, .transportProtocol, .destinationPort], named: "names")
  }

  // MARK: Translation

  /// A packet to 127.0.0.1 that comes from elsewhere is not led anywhere: what is published there is for the host alone.
  private var translateIncoming: NftChain {
    NftChain(
      "publish", base: NftBase(.nat, .prerouting, priority: -100),
      rules: [
        NftRule([.field(.ipDestination, Self.loopback)], .verdict(.accept))
      ] + toPublished)
  }

  private var translateLocal: NftChain {
    NftChain(
      "publish_locally", base: NftBase(.nat, .output, priority: -100), rules: toPublished)
  }

  private var translateSource: NftChain {
    NftChain(
      "leave", base: NftBase(.nat, .postrouting, priority: 100),
      rules: ownAddresses + [
        NftRule([Self.hasPorts] + leaving, .masqueradePorts(Self.sourcePorts)),
        NftRule(leaving, .masquerade),
        // From the host by 127.0.0.1: an address that no service could answer to.
        NftRule([.set([.outputInterface], named: "bridges"), .field(.ipSource, Self.loopback)], .masquerade),
        // Services of an internal network have no route to anyone but the host.
        NftRule([.set([.outputInterface], named: "internal"), .status(.destinationTranslated)], .masquerade),
      ] + (policy?.translations ?? []) + stack.networks.map(translateHairpin) + ipv6Hairpins + detourRules)
  }

  /// What leaves a network that does not masquerade stays as it is.
  private var ownAddresses: [NftRule] {
    stack.networks.filter { !$0.masquerades && $0.hasBridge }.map { network in
      NftRule(
        [.field(.inputInterface, .interface(network.bridge)), .set([.outputInterface], .notEqual, named: "bridges")],
        .verdict(.accept))
    }
  }

  private var leaving: [NftMatch] {
    [.set([.inputInterface], named: "open"), .set([.outputInterface], .notEqual, named: "bridges")]
  }

  private static let hasPorts = NftMatch.anyOf(.transportProtocol, [.tcp, .udp])

  /// Those that Linux gives out by itself (ip_local_port_range in ip(7)). With a source port of its own choice, a service would
  /// take the answers that a client sends to a published port or to a listener of the host (CVE-2021-3773).
  private static let sourcePorts: ClosedRange<UInt16> = 32768...60999

  /// To a published port of the same network: the answer must come back this way to be translated back.
  ///
  /// Matches by source address. With br_netfilter, the kernel bridges a packet that was translated to the same bridge,
  /// and then names no incoming link (br_nf_pre_routing_finish, br_nf_post_routing).
  private func translateHairpin(_ network: DesiredNetwork) -> NftRule {
    NftRule(
      [
        .field(.outputInterface, .interface(network.bridge)), .field(.ipSource, .prefix(.v4(network.subnet))),
        .status(.destinationTranslated),
      ], .masquerade)
  }

  // MARK: Passing through

  private var forward: NftChain {
    NftChain(
      "forward", base: NftBase(.filter, .forward, priority: 0),
      rules: [
        Self.takeMark,
        NftRule([.state([.established, .related])], .accept),
      ]
        + (policy?.forwardRules ?? [
          Self.keepPublished,
          NftRule([.set([.outputInterface], named: "bridges")], .verdict(.goto("enter"))),
          NftRule([.set([.inputInterface], named: "internal")], .verdict(.goto("leave_internal"))),
          Self.refuseLinkLocal,
        ]))
  }

  /// Packets that enter a network: its own traffic, where br_netfilter shows it, and published ports.
  private var enter: NftChain {
    NftChain(
      "enter",
      rules: [
        NftRule([.set([.inputInterface, .outputInterface], named: "within")], .accept),
        NftRule([.status(.destinationTranslated)], .accept),
        NftRule([], .drop),
      ])
  }

  private var leaveInternal: NftChain {
    NftChain(
      "leave_internal",
      rules: [
        NftRule([.field(.transportProtocol, .tcp)], .reject(.tcpReset)),
        NftRule([], .reject(.administrativelyProhibited)),
      ])
  }

  /// The host's address in one network is no way into it from another. Nor are the further addresses that the kernel takes
  /// for its own: broadcast, and the subnet-router anycast address of IPv6 (RFC 4291, 2.6.1).
  private var input: NftChain {
    NftChain(
      "input", base: NftBase(.filter, .input, priority: 0),
      rules: [
        Self.takeMark,
        NftRule([.state([.established, .related])], .accept),
        NftRule([.field(.inputInterface, .interface("lo"))], .accept),
        NftRule([toNames], .accept),
      ] + (stack.networks.isEmpty ? [] : [Self.refuseOtherAddresses]) + ipv6InputRules
        + (policy?.inputRules ?? inputRules))
  }

  private static let refuseOtherAddresses = NftRule(
    [
      .set([.ipDestination], named: "subnets"),
      .set([.inputInterface, .ipDestination], .notEqual, named: "own_gateway"),
    ], .drop)

  /// Removes the mark behind the bridge. It is not removed before routing: with br_netfilter, bridged frames come by
  /// here and must still pass the filters at ports.
  private static let takeMark = NftRule([.field(.mark, .mark(PacketMark.seen))], .setMark(0))

  /// Of the host an internal network has names, and what rules let it have.
  private var inputRules: [NftRule] {
    (ipv6Sets.isEmpty ? [] : [NftRule(neighbourDiscovery(133...136), .accept)])
      + [
        NftRule([.set([.inputInterface], named: "internal")], .verdict(.goto("leave_internal"))), Self.refuseLinkLocal,
      ]
  }

  /// Without rules, nothing opens ``LinkLocal`` addresses beyond the stack's networks.
  private static let refuseLinkLocal = NftRule(
    [.set([.inputInterface], named: "bridges"), toLinkLocal], .verdict(.goto("leave_internal")))

  static let toLinkLocal = NftMatch.field(.ipDestination, .prefix(.v4(LinkLocal.range)))

  /// Published ports lead out of a network too.
  static let keepPublished = NftRule(
    [.set([.inputInterface], named: "internal"), .status(.destinationTranslated)], .verdict(.goto("leave_internal")))

  private static let loopback = NftValue.prefix(.v4(.loopback))
}
