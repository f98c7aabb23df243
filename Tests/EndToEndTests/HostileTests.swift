import Foundation
import Testing

/// `stack verify --hostile`: nothing arrives, each kind is named once its guard is taken away by hand, and nothing is left behind.
@Suite struct HostileTests {
  private static let text = """
    name: x
    services:
      evil:
        command: [sleep, infinity]
        networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}, side: {}}
      web: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.3, ipv6_address: "fd00:99::3"}}}
      db:
        command: [sleep, infinity]
        networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
      far: {command: [sleep, infinity], networks: {back: {ipv4_address: 10.98.0.4, ipv6_address: "fd00:98::4"}}}
      peer: {command: [sleep, infinity], networks: [side]}
      remote: {command: [sleep, infinity], networks: [tunnel]}
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}
      back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}
      side: {subnet: 10.97.0.0/24}
      tunnel: {driver: vxlan, id: 42, remote: 198.51.100.77, local: 198.51.100.2, subnet: 10.60.0.0/24}
    links: [{ends: {far: 10.55.0.1/30, db: 10.55.0.2/30}}]
    policies: [{allow: "web -> db:5432"}, {deny: "any -> db"}]

    """

  private static let other = """
    name: o
    services: {own: {command: [sleep, infinity], networks: {n: {ipv4_address: 10.96.0.2, ipv6_address: "fd00:96::2"}}}}
    networks: {n: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.96.0.0/24}, {subnet: "fd00:96::/64"}]}}}
    """

  /// Both stacks, without who would put a guard back.
  private func withStacks(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      try host.up(Self.other, named: "o")
      try host.killSupervisors()
      try body(host)
    }
  }

  private func report(_ host: ThrowawayHost, _ options: String...) throws -> (HostileReport, Outcome) {
    try host.verifyHostile(options)
  }

  /// The state that forged frames could change, as other programs show it.
  private func knowledge(_ host: ThrowawayHost) throws -> String {
    try host.succeed(
      "sh", "-c",
      """
      bridge fdb | sort
      known='.[] | select(.lladdr) | "\\(.dst) \\(.dev) \\(.lladdr)"'
      ip -j neigh | jq -r "$known" | sort
      for name in $(ls /run/netns); do echo $name; ip -n $name -j neigh | jq -r "$known" | sort; done
      # Linux chooses ports above these by itself.
      grep -E 'port=(2[0-9]{4}|3[01][0-9]{3}) ' /proc/net/nf_conntrack || true
      """)
  }

  @Test func nothingArrivesAndNothingIsLeft() throws {
    try withStacks { host in
      try host.succeed("stack", "exec", "-T", "web", "ping", "-c1", "-W2", "10.99.0.2")
      let before = try knowledge(host)
      let (report, outcome) = try report(host)
      #expect(outcome.status == 0 && report.open == 0 && report.unasked.isEmpty, "\(outcome)")
      #expect(Set(report.kinds.map(\.kind)).count == 14, "\(report.kinds)")
      #expect(report.milliseconds < 2000)
      #expect(try knowledge(host) == before)
      let table = try host.succeed("stack", "verify", "--hostile", "x")
      #expect(table.split(separator: "\n").last?.hasPrefix("0 open of ") == true, "\(table)")
      let junit = try host.succeed("stack", "verify", "--hostile", "x", "--format", "junit")
      #expect(junit.contains("failures=\"0\"") && junit.contains("classname=\"x.hostile\""), "\(junit)")
      // Of two that are named, only what goes from one to the other.
      let (part, _) = try self.report(host, "--only", "evil,db")
      #expect(part.open == 0 && part.kinds.reduce(0) { $0 + $1.tried } < report.kinds.reduce(0) { $0 + $1.tried } / 4)
    }
  }

  /// A guard that is taken away by hand, and the kinds that this opens.
  struct Removal: CustomTestStringConvertible, Sendable {
    var script: String
    var kinds: Set<String>
    var testDescription: String { script }
  }

  private static let ports = "bridge stack-x/ports"
  static let removals = [
    Removal(
      script: "nft flush chain \(ports) addressed",
      kinds: ["source", "unused", "elsewhere", "claim", "router", "link-local"]),
    Removal(
      script: """
        nft insert rule \(ports) addressed accept; nft insert rule inet stack-x guard_incoming accept
        nft insert rule inet stack-x input accept
        nft insert rule inet stack-o guard_incoming accept; nft insert rule bridge stack-o/ports addressed accept
        for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done
        """, kinds: ["source", "unused", "elsewhere", "loopback", "claim", "group"]),
    Removal(script: "nft insert rule \(ports) addressed arp operation reply accept", kinds: ["claim"]),
    Removal(script: "nft insert rule \(ports) discovery icmpv6 type nd-neighbor-advert accept", kinds: ["claim"]),
    Removal(script: "nft insert rule \(ports) addressed ip6 saddr fe80::/10 accept", kinds: ["link-local"]),
    Removal(
      script: "nft insert rule \(ports) from_service ether type 8021q meta mark set 0x02000000 accept", kinds: ["tag"]),
    Removal(script: "nft flush chain \(ports) passing", kinds: ["further", "group", "apart"]),
    Removal(script: "nft flush chain inet stack-x tunnels", kinds: ["tunnel"]),
    Removal(script: "nft add element \(ports) own { evil-port . evil-mac . 10.99.0.3 }", kinds: ["source"]),
    Removal(
      script: """
        nft insert rule \(ports) from_service meta mark set 0x02000000 accept
        for port in $(ls /sys/class/net/x-front/brif); do bridge link set dev $port locked off learning on; done
        """, kinds: ["hardware", "source", "tag", "claim", "reply"]),
  ]

  @Test func eachKindIsNamedOnceItsGuardIsGone() throws {
    try withStacks { host in
      try host.succeed("stack", "exec", "-T", "db", "sh", "-c", "ping -c1 -W1 10.99.0.3; ping -c1 -W1 fd00:99::3; true")
      let before = try knowledge(host)
      try host.succeed("sh", "-c", "nft list ruleset >rules")
      let port = try host.succeed("sh", "-c", "ls /sys/class/net/x-front/brif | grep evil-")
      let hardware = try host.hardwareAddress(of: "evil")
      for removal in Self.removals {
        let script = removal.script.replacingOccurrences(of: "evil-port", with: port)
          .replacingOccurrences(of: "evil-mac", with: hardware)
        try host.succeed("sh", "-c", script)
        let (report, outcome) = try report(host)
        #expect(outcome.status == 1 && report.openKinds.isSuperset(of: removal.kinds), "\(script): \(outcome)")
        #expect(report.findings.allSatisfy { !$0.guards.isEmpty && ($0.moved || !$0.victims.isEmpty) }, "\(report)")
        #expect(try knowledge(host) == before, "\(script)")
        try host.succeed("sh", "-c", "nft flush ruleset; nft -f rules")
        try host.succeed(
          "sh", "-c",
          "for port in $(ls /sys/class/net/x-front/brif); do bridge link set dev $port locked on learning off; done")
      }
      let (report, outcome) = try report(host)
      #expect(outcome.status == 0 && report.open == 0, "\(outcome)")
    }
  }

  /// An entry of a bridge that moves is put back at once.
  @Test func aPlaceThatMovesIsPutBack() throws {
    try withStacks { host in
      let hardware = try host.hardwareAddress(of: "db")
      try host.succeed(
        "sh", "-c",
        """
        bridge fdb replace \(hardware) dev $(ls /sys/class/net/x-front/brif | grep db-) master static
        nft insert rule bridge stack-x/ports from_service meta mark set 0x02000000 accept
        for port in $(ls /sys/class/net/x-front/brif); do bridge link set dev $port locked off learning on; done
        """)
      let before = try knowledge(host)
      let (report, outcome) = try report(host)
      #expect(report.findings.contains { $0.kind == "hardware" && $0.moved }, "\(outcome)")
      #expect(try knowledge(host) == before)
    }
  }

  /// The filters of tc hold while the tables are gone. Without them, each finding says that its guard is not there.
  @Test func withoutTablesAndFiltersEverythingIsOpen() throws {
    try withStacks { host in
      try host.succeed("nft", "flush", "ruleset")
      let (held, outcome) = try report(host)
      // Bridges leave some groups to their ports, and those reach the host past the filters.
      #expect(held.findings.allSatisfy { $0.kind == "group" && $0.victims == ["the host"] }, "\(outcome)")
      try host.succeed(
        "sh", "-c",
        """
        for link in x-front $(ls /sys/class/net/x-front/brif); do tc qdisc del dev $link clsact; done
        """)
      let (open, _) = try report(host)
      #expect(open.openKinds.isSuperset(of: ["source", "unused", "claim", "tag", "group", "further", "link-local"]))
      #expect(open.findings.allSatisfy { $0.guards.allSatisfy { !$0.standing } })
      let filters = Set(open.findings.flatMap(\.guards).compactMap(\.filter))
      #expect(filters.contains("x-front") && filters.contains { $0.hasPrefix("db-") }, "\(filters)")
      let table = try host.run("stack", "verify", "--hostile", "x")
      #expect(table.output.contains("of table bridge stack-x/ports, which is not there"), "\(table)")
      #expect(table.output.contains("by the ingress filter (tc) of x-front, which is not there"), "\(table)")
    }
  }

  @Test func whoCannotSendIsNotSaidToBeSafe() throws {
    try withStacks { host in
      try host.succeed("ip", "-n", "x.evil", "link", "set", "eth0", "down")
      let (report, outcome) = try report(host)
      #expect(outcome.status == 2 && report.open == 0, "\(outcome)")
      #expect(report.unasked.count == 1 && report.unasked.first?.hasPrefix("evil: ") == true, "\(report.unasked)")
    }
  }

  private static let files =
    ["web", "nginx", "depends"].map { "\($0).stack" } + LabTests.labs.map { "labs/\($0)" }

  @Test(arguments: files) func nothingArrivesInTheStacksThatComeAlong(_ file: String) throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile(file))
      let outcome = try host.run("stack", "verify", "--hostile")
      #expect(outcome.status == 0 && outcome.lines.last?.hasPrefix("0 open of ") == true, "\(outcome)")
    }
  }

  /// Frames that the file allows are no finding. All others still are.
  @Test func claimsAndRoutersMaySendWhatIsTheirs() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: c
        services:
          r1:
            command: [sleep, infinity]
            networks: {lan: {claims: [10.99.0.100, "00:00:5e:00:01:0a"]}, wan: {}}
            forward: true
          pump: {command: [sleep, infinity], networks: {lan: {claims: [dhcp, 10.99.0.128/26]}}}
          bridge: {command: [sleep, infinity], networks: {lan: {claims: [any]}}}
          web: {command: [sleep, infinity], networks: [lan]}
          db: {command: [sleep, infinity], networks: [wan]}
        networks: {lan: {subnet: 10.99.0.0/24}, wan: {subnet: 10.98.0.0/24}}
        """
      try host.up(text, named: "c")
      let outcome = try host.run("stack", "verify", "--hostile")
      #expect(outcome.status == 0, "\(outcome)")
      try host.killSupervisors()
      try host.succeed("nft", "flush", "set", "bridge", "stack-c/ports", "taken")
      let taken = try host.run("stack", "verify", "--hostile")
      #expect(taken.status == 1 && taken.output.contains("open: bridge -> "), "\(taken)")
      #expect(taken.output.contains("chain from_others of table bridge stack-c/ports"), "\(taken)")
    }
  }
}
