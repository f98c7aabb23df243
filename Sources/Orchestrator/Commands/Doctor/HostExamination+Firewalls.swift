import Host
import Kernel
import Netfilter
import Netlink
import Rules

extension HostExamination {
  /// The other settings and programs that decide about packets on this host.
  struct Surroundings: Hashable {
    var forwards: Bool?
    /// bridge-nf-call-iptables; nil where br_netfilter is not loaded.
    var bridgedFramesPass: Bool?
    /// Base chains of other tables than those of stacks.
    var chains: [NftBaseChainSummary] = []
    /// The rules of their tables.
    var rules: [NftTableName: [NftRuleSummary]] = [:]
    /// True if Docker's chain for others is there. `up` accepts a stack's bridges in it.
    var hasGate = false
    /// Tables of iptables-legacy(8) in use: `filter`, `nat`.
    var legacyTables: [String] = []
    var hasDocker = false
    /// The bridges of stacks that are up, on whose addresses services ask for names.
    var bridges: [String] = []
  }

  func firewalls() -> [HostFinding] {
    var surroundings = Surroundings()
    surroundings.forwards = number(in: HostSettings.forwarding).map { $0 != 0 }
    surroundings.bridgedFramesPass = number(in: "/proc/sys/net/bridge/bridge-nf-call-iptables").map { $0 != 0 }
    surroundings.legacyTables = text(of: "/proc/net/ip_tables_names")?.split(separator: "\n").map(String.init) ?? []
    let problems = attempt { () throws(KernelError) in
      var route = try NetlinkSocket(.route)
      surroundings.hasDocker = try route.links().contains { $0.name == "docker0" }
      guard isRoot else { return [] }
      var netfilter = try NetlinkSocket(.netfilter)
      let own = try Set(
        netfilter.tables().filter { Firewall.owner(of: $0.name, comment: $0.comment) != nil }.map(\.name))
      surroundings.chains = try netfilter.baseChains().filter { !own.contains($0.table) }
      for table in Set(surroundings.chains.map(\.table)) { surroundings.rules[table] = try netfilter.rules(of: table) }
      surroundings.hasGate = try Passage.isThere()
      let index = StackIndex(folders: folders)
      for name in index.names() { surroundings.bridges += try index.desired(name)?.bridgesWithNames ?? [] }
      return []
    }
    return problems + Self.judge(surroundings, sawChains: isRoot && problems.isEmpty)
  }

  static func judge(_ surroundings: Surroundings, sawChains: Bool) -> [HostFinding] {
    var findings: [HostFinding] = []
    switch surroundings.forwards {
    case true?: findings.append(HostFinding(.good, "packets are forwarded between interfaces, and stay so after down"))
    case false?:
      findings.append(
        HostFinding(
          .good, "forwarding is off: the first up that needs it sets net.ipv4.ip_forward to 1, the last down back to 0")
      )
    case nil: findings.append(HostFinding(.notice, "whether packets are forwarded is not to be seen here"))
    }
    if surroundings.bridgedFramesPass == true {
      findings.append(
        HostFinding(
          .good,
          "br_netfilter is on: frames within a network pass the host's firewalls too, and the stack's own lets them"))
    }
    findings += closedChains(surroundings)
    if !surroundings.legacyTables.isEmpty {
      findings.append(
        HostFinding(
          .notice, "legacy iptables has tables here (\(list(surroundings.legacyTables))), whose rules decide too",
          remedy: "iptables-legacy -S FORWARD shows whether they drop; if so, let a stack's bridges pass:\n"
            + acceptance(program: "iptables-legacy", chain: surroundings.hasDocker ? "DOCKER-USER" : "FORWARD")))
    }
    if sawChains, surroundings.legacyTables.isEmpty, !surroundings.hasGate,
      !findings.contains(where: { $0.verdict == .notice })
    {
      findings.append(HostFinding(.good, "no other firewall drops what a stack sends"))
    }
    return findings
  }

  /// A packet has to be accepted by every base chain of a hook: a drop by policy elsewhere overrules a stack's own table.
  private static func closedChains(_ surroundings: Surroundings) -> [HostFinding] {
    let closed = ClosedChain.find(surroundings.chains, rules: surroundings.rules).filter { $0.table.family != .ip6 }
    var findings: [HostFinding] = []
    for chain in closed where chain.hook == .forward {
      if !surroundings.bridges.isEmpty, surroundings.bridges.allSatisfy(chain.lets) {
        findings.append(
          HostFinding(.good, "\(chain.place) \(chain.deed), and lets the stacks that are up pass"))
        continue
      }
      if chain.isDockers, surroundings.hasGate {
        findings.append(
          HostFinding(
            .good, "\(chain.place) \(chain.deed) (Docker's doing): up lets a stack's bridges through in its DOCKER-USER"
          ))
        continue
      }
      if chain.isFirewalld {
        findings.append(
          HostFinding(
            .notice, "\(chain.place) \(chain.deed) (firewalld's doing): what services send out and what is published",
            remedy: "let the bridges of the stacks that are up pass, as in its trusted zone: stack doctor --fix"))
        continue
      }
      var losses = "what services send out and what is published"
      if surroundings.bridgedFramesPass == true { losses += ", and by br_netfilter also what they send each other" }
      let isIPTables = chain.table == NftTableName(.ip, "filter") && chain.chain == "FORWARD"
      let docker = isIPTables && surroundings.hasDocker ? " (Docker's doing)" : ""
      let remedy =
        isIPTables
        ? acceptance(program: "iptables", chain: surroundings.hasDocker ? "DOCKER-USER" : "FORWARD")
        : "nft 'insert rule \(chain.table) \(chain.chain) iifname \"NAME-*\" accept'\n"
          + "nft 'insert rule \(chain.table) \(chain.chain) oifname \"NAME-*\" accept'"
      findings.append(
        HostFinding(
          .notice,
          "\(chain.place) \(chain.deed)\(docker): \(losses)",
          remedy:
            "let the bridges of a stack NAME pass (long names are cut: ip -br link); its own table goes on guarding "
            + "them:\n\(remedy)"))
    }
    for chain in closed where chain.hook == .input {
      findings.append(judge(chain, bridges: surroundings.bridges))
    }
    if surroundings.hasDocker, !closed.contains(where: { $0.hook == .forward }) {
      findings.append(HostFinding(.good, "Docker is here and lets packets of others pass"))
    }
    return findings
  }

  /// A chain for what comes to the host itself, where services ask for names.
  private static func judge(_ chain: ClosedChain, bridges: [String]) -> HostFinding {
    let shut = bridges.filter { !chain.letsNames(from: $0) }
    guard bridges.isEmpty || !shut.isEmpty else {
      return HostFinding(
        .good, "\(chain.place) \(chain.deed), and lets services of the stacks that are up ask for names")
    }
    return HostFinding(
      .notice,
      "\(chain.place) \(chain.deed): services get no names, which they ask the host for, and reach no server of its own",
      remedy: shut.isEmpty
        ? "once a stack NAME is up, to let it ask: \(chain.commandForNames(from: ["NAME-*"]))"
        : "to let them ask: \(chain.commandForNames(from: shut))")
  }

  private static func acceptance(program: String, chain: String) -> String {
    "\(program) -I \(chain) -i NAME-+ -j ACCEPT\n\(program) -I \(chain) -o NAME-+ -j ACCEPT"
  }

  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
