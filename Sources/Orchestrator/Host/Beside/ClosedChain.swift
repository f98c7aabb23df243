import Intent
import Kernel
import Netfilter
import Netlink
import Rules

/// A chain of another program's that drops what it does not know: a packet has to be accepted by every base chain of a hook.
package struct ClosedChain: Hashable {
  enum Reason: Hashable {
    case policy
    /// A rule that asks nothing of a packet, by its number.
    case rule(handle: UInt64, NftRuleSummary.Outcome)
  }

  package var table: NftTableName
  package var chain: String
  package var hook: NftHook
  var reason: Reason
  /// Rules of the table that accept what comes by a link which they name.
  var exceptions: [NftRuleSummary] = []
  /// True if ufw(8) keeps the table.
  var isUFWs = false

  /// `table inet fw chain forward`, with the rule if it is one: as `nft -a list chain` shows it.
  package var place: String {
    switch reason {
    case .policy: "table \(table) chain \(chain)"
    case .rule(let handle, _): "table \(table) chain \(chain) rule \(handle)"
    }
  }

  /// The action of the place, for messages: `drops what comes to it`.
  package var deed: String {
    switch reason {
    case .policy: "drops what it does not know (policy drop)"
    case .rule(_, .reject): "rejects what comes to it"
    case .rule: "drops what comes to it"
    }
  }
}

extension ClosedChain {
  /// The closed chains of a host, from its base chains and the rules of their tables. NAT and routing chains do not
  /// drop.
  package static func find(_ chains: [NftBaseChainSummary], rules: [NftTableName: [NftRuleSummary]]) -> [ClosedChain] {
    chains.compactMap { chain in
      guard chain.type == .filter, [.inet, .ip, .ip6].contains(chain.table.family),
        [.forward, .input].contains(chain.hook)
      else { return nil }
      let rules = rules[chain.table] ?? []
      let place = { reason in
        ClosedChain(
          table: chain.table, chain: chain.chain, hook: chain.hook, reason: reason,
          exceptions: rules.filter { $0.outcome == .accept && !$0.inputs.isEmpty },
          isUFWs: rules.contains { $0.chain.hasPrefix("ufw-") })
      }
      if chain.policy == .drop { return place(.policy) }
      let last = rules.first { rule in
        rule.chain == chain.chain && rule.isUnconditional && [.drop, .reject].contains(rule.outcome)
      }
      return last.map { place(.rule(handle: $0.handle, $0.outcome)) }
    }
  }

  /// Looks at this host, past the tables of stacks.
  package static func observe() throws(KernelError) -> [ClosedChain] {
    var socket = try NetlinkSocket(.netfilter)
    let own = try Set(socket.tables().filter { Firewall.owner(of: $0.name, comment: $0.comment) != nil }.map(\.name))
    let chains = try socket.baseChains().filter { !own.contains($0.table) }
    var rules: [NftTableName: [NftRuleSummary]] = [:]
    for chain in chains where chain.hook == .forward || chain.hook == .input {
      if rules[chain.table] == nil { rules[chain.table] = try socket.rules(of: chain.table) }
    }
    return find(chains, rules: rules)
  }

  /// True if it is one of firewalld's.
  package var isFirewalld: Bool { Passage.firewalld.contains { $0.table == table && $0.chain == chain } }

  /// True if it is Docker's FORWARD chain, which jumps to DOCKER-USER first.
  package var isDockers: Bool { [.ip, .ip6].contains(table.family) && table.name == "filter" && chain == "FORWARD" }
}

extension DesiredStack {
  /// The warning, as the stack comes up, about another program's chain that drops what it does not know.
  ///
  /// - Parameter hasGate: whether Docker's chain for others is there, in which the stack's bridges are let through.
  package func warning(of closed: ClosedChain, hasGate: Bool) -> String? {
    // Networks are of IPv4: what is said of IPv6 alone concerns no stack.
    guard closed.table.family != .ip6, !networks.isEmpty else { return nil }
    if closed.hook == .input { return warningOfLostNames(by: closed) }
    if closed.isDockers, hasGate {
      return
        "\(closed.place) \(closed.deed): the stack's bridges are let through in Docker's chain DOCKER-USER until it is down"
    }
    let shut = networks.filter { !closed.lets($0.bridge) }
    guard !shut.isEmpty else { return nil }
    if closed.isFirewalld {
      return
        "\(closed.place) \(closed.deed): what services send out and what is published is lost there; to let it pass: "
        + "stack doctor --fix"
    }
    let commands = shut.flatMap { network in
      closed.isUFWs
        ? ["in", "out"].map { "ufw route allow \($0) on \(network.bridge)" }
        : ["iifname", "oifname"].map {
          "nft 'insert rule \(closed.table) \(closed.chain) \($0) \"\(network.bridge)\" accept'"
        }
    }
    let losses = "\(closed.place) \(closed.deed): what services send out and what is published is lost there"
    return ([losses + "; to let it pass:"] + commands).joined(separator: "\n  ")
  }
}
