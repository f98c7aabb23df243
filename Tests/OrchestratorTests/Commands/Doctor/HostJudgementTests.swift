import Testing
@testable import Netfilter
@testable import Netlink
@testable import Orchestrator
@testable import Planning
@testable import Resolve

/// The finding for each fact of a host.
@Suite struct HostJudgementTests {
  @Test func usersOfServices() {
    var facts = IdentityFacts()
    #expect(HostExamination.judge(identities: facts, lib: "/var/lib/stack").verdict == .good)
    facts.unmappable["/var/lib/stack"] = "is on a file system without idmapped mounts"
    let volumes = HostExamination.judge(identities: facts, lib: "/var/lib/stack")
    #expect(volumes.verdict == .notice && volumes.text.contains("/var/lib/stack is on a file system"))
    facts.refusal = "the kernel has no user namespaces"
    #expect(HostExamination.judge(identities: facts, lib: "/var/lib/stack").text.contains("the kernel has no user"))
  }

  @Test(
    arguments: [
      ("6.1.0-18-amd64", .good), ("5.14.0", .good), ("5.13.19-200.fc34", .notice), ("5.12.0", .notice),
      ("5.11.22", .missing), ("4.19.0-27-amd64", .missing), ("10.0", .good), ("", .notice), ("next", .notice),
    ] as [(String, HostFinding.Verdict)])
  func kernelReleases(_ release: String, _ verdict: HostFinding.Verdict) {
    let finding = HostExamination.judge(kernelRelease: release)
    #expect(finding.verdict == verdict)
    #expect((finding.remedy == nil) == (verdict == .good))
  }

  @Test func fileSystems() {
    let all = "nodev\tsysfs\nnodev\ttmpfs\n\text4\nnodev\toverlay\n"
    #expect(HostExamination.judge(fileSystems: all).map(\.verdict) == [.good])
    #expect(HostExamination.judge(fileSystems: "nodev\ttmpfs\nnodev\tnotoverlay\n").map(\.verdict) == [.notice])
    #expect(HostExamination.judge(fileSystems: "").map(\.verdict) == [.notice, .missing])
  }

  @Test(arguments: [(nil, .notice), (0, .notice), (1, .good)] as [(Int?, HostFinding.Verdict)])
  func userNamespaces(_ limit: Int?, _ verdict: HostFinding.Verdict) {
    #expect(HostExamination.judge(userNamespaces: limit).verdict == verdict)
  }

  @Test(
    arguments: [
      (.version2("/sys/fs/cgroup"), .good), (.hybrid("/sys/fs/cgroup/unified"), .good), (.version1, .notice),
      (.none, .notice), (.readOnly("/sys/fs/cgroup"), .notice), (.threaded("/sys/fs/cgroup"), .notice),
      (.inUse("/sys/fs/cgroup"), .good),
    ] as [(HostExamination.ControlGroupMode, HostFinding.Verdict)])
  func controlGroups(_ mode: HostExamination.ControlGroupMode, _ verdict: HostFinding.Verdict) {
    #expect(HostExamination.judge(mode).verdict == verdict)
  }

  @Test func space() {
    func verdict(_ bytes: UInt64, _ inodes: UInt64?, isReadOnly: Bool = false) -> HostFinding.Verdict {
      HostExamination.judge(
        HostExamination.Space(path: "/run/stack", isReadOnly: isReadOnly, freeBytes: bytes, freeInodes: inodes)
      ).verdict
    }
    #expect(verdict(1 << 30, 100_000) == .good)
    #expect(verdict(1 << 30, nil) == .good)
    #expect(verdict(1 << 30, 1000) == .notice)
    #expect(verdict(10 << 20, nil) == .notice)
    #expect(verdict(1 << 30, 3) == .missing)
    #expect(verdict(100, nil) == .missing)
    #expect(verdict(1 << 30, nil, isReadOnly: true) == .missing)
  }

  @Test func theFolderAboveStandsForOneThatIsNotThere() {
    #expect(HostExamination.nearest("/proc/nothing/of/this") == "/proc")
    #expect(HostExamination.nearest("/proc") == "/proc")
    #expect(HostExamination.nearest("/nothing-of-this") == "/")
  }

  @Test func onlyLowLimitsAreNamed() {
    let low = HostExamination.Limit(what: "threads", value: 99, least: 100, remedy: "sysctl")
    #expect(HostExamination.judge(low)?.text == "few threads are allowed: 99")
    var enough = low
    enough.value = 100
    #expect(HostExamination.judge(enough) == nil)
  }

  @Test func idsSetAsideForContainers() {
    let passwd =
      "root:x:0:0:root:/root:/bin/sh\nbig:x:600000:1::/:/bin/sh\ncut:x\nodd:x:-1:0::/:\nlast:x:1879048191:1::/:\n"
    #expect(HostExamination.users(ofPasswd: passwd) == ["user big", "user last"])
    let ranges = "a:100000:65536\nb:500000:65536\nc:2000000000:9\nd:0:4294967295\ne:4294967295:2\nf:1:0\nbroken\n"
    #expect(HostExamination.users(ofRanges: ranges) == ["the range of b", "the range of d"])
    #expect(HostExamination.judge(identifierUsers: []).verdict == .good)
    let many = HostExamination.judge(identifierUsers: ["a", "b", "c", "d", "e"])
    #expect(many.verdict == .notice)
    #expect(many.text.hasSuffix("in use: a, b, c and 2 more"))
  }
}

/// The findings about links of the host at which cables end.
@Suite struct CableEndJudgementTests {
  private typealias State = HostExamination.CableEnd.State

  private func texts(_ state: State?) -> [String] {
    HostExamination.judge(HostExamination.CableEnd(link: "eth1", service: "lab/r1", state: state)).map(\.text)
  }

  @Test func onlyOneWithSomethingWrongIsNamed() {
    #expect(texts(State(isUp: true, hasCarrier: true)).isEmpty)
    #expect(texts(nil) == ["the host has no link eth1, at which a cable of lab/r1 ends"])
    let cable = "eth1, at which a cable of lab/r1 ends,"
    #expect(texts(State(isUp: false, hasCarrier: false)) == ["\(cable) is down"])
    #expect(texts(State(isUp: true, hasCarrier: false)) == ["\(cable) has no carrier"])
    #expect(
      texts(State(isUp: true, hasCarrier: true, master: "br0"))
        == ["\(cable) has become a part of br0, which takes its frames"])
    let managed = texts(State(isUp: true, hasCarrier: true, managers: ["NetworkManager", "systemd-networkd"]))
    #expect(managed.count == 2 && managed.allSatisfy { $0.contains("is configured by") })
  }
}

/// The findings about other firewalls.
@Suite struct FirewallJudgementTests {
  private func chain(
    _ family: NftFamily, _ table: String, _ name: String, _ hook: NftHook, _ policy: NftBase.Policy
  ) -> NftBaseChainSummary {
    NftBaseChainSummary(
      table: NftTableName(family, table), chain: name, type: .filter, hook: hook, priority: 0, policy: policy)
  }

  private func notices(_ surroundings: HostExamination.Surroundings) -> [HostFinding] {
    HostExamination.judge(surroundings, sawChains: true).filter { $0.verdict != .good }
  }

  @Test func anOpenHostHasNoNotices() {
    var host = HostExamination.Surroundings(forwards: false)
    host.chains = [
      chain(.inet, "filter", "forward", .forward, .accept), chain(.inet, "filter", "output", .output, .drop),
      chain(.ip6, "filter", "FORWARD", .forward, .drop),
    ]
    #expect(notices(host).isEmpty)
    let said = HostExamination.judge(host, sawChains: true).map(\.text)
    #expect(said.contains("no other firewall drops what a stack sends"))
    #expect(!HostExamination.judge(host, sawChains: false).map(\.text).contains { $0.hasPrefix("no other") })
  }

  @Test func aClosedForwardChainIsNamedWithItsRemedy() throws {
    var host = HostExamination.Surroundings(forwards: true)
    host.chains = [chain(.inet, "fw", "pass", .forward, .drop)]
    let finding = try #require(notices(host).first)
    #expect(finding.text.hasPrefix("table inet fw chain pass drops"))
    #expect(finding.remedy?.contains("nft 'insert rule inet fw pass iifname \"NAME-*\" accept'") ?? false)
    #expect(!finding.text.contains("each other"))
    host.bridgedFramesPass = true
    #expect(notices(host).first?.text.contains("each other") ?? false)
  }

  @Test func dockersChainHasAPlaceForOthers() throws {
    var host = HostExamination.Surroundings(forwards: true)
    host.hasDocker = true
    host.chains = [chain(.ip, "filter", "FORWARD", .forward, .drop)]
    let finding = try #require(notices(host).first)
    #expect(finding.text.contains("Docker"))
    #expect(finding.remedy?.contains("iptables -I DOCKER-USER -i") ?? false)
    host.hasDocker = false
    #expect(notices(host).first?.remedy?.contains("iptables -I FORWARD -i") ?? false)
  }

  @Test func aClosedInputChainTakesNamesAway() throws {
    var host = HostExamination.Surroundings(forwards: true)
    host.chains = [chain(.inet, "fw", "in", .input, .drop)]
    let table = NftTableName(.inet, "fw")
    let before = try #require(notices(host).first)
    #expect(before.text.contains("services get no names"))
    #expect(before.remedy?.contains("iifname \"NAME-*\" meta l4proto { tcp, udp } th dport 53 accept") == true)
    host.bridges = ["web-front"]
    #expect(notices(host).first?.remedy?.contains("iifname \"web-front\"") == true)
    // Once that is done, all is well.
    var rule = NftRuleSummary(table: table, chain: "in", handle: 4)
    (rule.outcome, rule.inputs, rule.ports, rule.isUnconditional) = (.accept, ["web-*"], [53], false)
    host.rules = [table: [rule]]
    #expect(notices(host).isEmpty)
  }

  @Test func whatOthersTookAwayIsNamed() {
    var loss = NetworkLoss()
    loss.faults = ["front": "bridge web-front is set down"]
    loss.settings = ["net.ipv4.ip_forward is 0"]
    let findings = HostExamination.judge(["web": loss, "fine": NetworkLoss()])
    #expect(findings.map(\.text) == ["stack web: bridge web-front is set down, net.ipv4.ip_forward is 0"])
  }

  @Test func aClosedInputChainAndLegacyTablesAreNamed() {
    var host = HostExamination.Surroundings()
    host.chains = [chain(.inet, "fw", "in", .input, .drop)]
    host.legacyTables = ["filter"]
    #expect(notices(host).count == 3, "also that forwarding is not to be seen")
  }
}
