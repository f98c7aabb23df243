import Foundation
import Testing

/// `stack verify` and `stack reach`: what they find is what other people's tools find, and what is wrong is named.
@Suite struct VerifyTests {
  private static let text = ThrowawayHost.servers(
    stack: "v", ["a", "b", "c"],
    extra: [
      "a": ["networks: [front]", "ports: [\"8080:80\"]"], "b": ["networks: [front, back]"], "c": ["networks: [back]"],
    ], tail: "networks:\n  front: {}\n  back: {internal: true}\nexpect:\n  - allow: a -> b:80\n  - deny: a -> c")

  @Test func aStackThatDoesWhatItsFileSays() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.text, to: "v.stack")
      let up = try host.succeed("stack", "up", "--verify", "v.stack")
      #expect(up.split(separator: "\n").last?.hasPrefix("0 wrong of ") == true, "\(up)")
      let running = try HostState(of: host)
      for arguments in [["v"], ["v.stack"], []] {
        let outcome = try host.start(["stack", "verify"] + arguments).wait(limit: .seconds(60))
        #expect(outcome.status == 0 && outcome.lines.last?.hasPrefix("0 wrong of ") == true, "\(outcome)")
      }
      // It leaves nothing: no listener, no connection.
      try host.expectUnchanged(since: running)
      for service in ["a", "b", "c"] {
        let sockets = try host.succeed("ip", "netns", "exec", "v.\(service)", "ss", "-Hantu")
        #expect(!sockets.contains("TIME-WAIT") && sockets.split(separator: "\n").count <= 1, "\(sockets)")
      }
      try host.succeed("stack", "down", "v")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func itNeedsNoSupervisorAndNoRunningService() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      try host.succeed("stack", "stop", "b")
      try host.killSupervisors()
      let outcome = try host.run("stack", "verify", "v")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try host.stackProcesses().isEmpty)
    }
  }

  /// As on every host with Docker, whose bridges show the host what they pass on.
  @Test func anAnswerThroughAHostThatHasSeenTheQuestionPasses() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: v
        services:
          client: {command: [sleep, infinity], networks: [front]}
          server: {command: [busybox, httpd, -f, -p, "80"], networks: [back], routes: ["front via r1"], expose: ["80"]}
          r1: {command: [sleep, infinity], networks: [front, back], forward: true}
        networks: {front: {}, back: {}}
        """
      try host.up(text, named: "v")
      for (setting, words) in [
        ("0", "predicted no: denied since the answer goes through the host, which has not seen the question"),
        ("1", "predicted yes: allowed by way of r1"),
      ] {
        try host.succeed("sh", "-c", "echo \(setting) > /proc/sys/net/bridge/bridge-nf-call-iptables")
        let all = try host.run("stack", "verify")
        #expect(all.status == 0, "\(setting): \(all)")
        let one = try host.run("stack", "reach", "server", "client")
        #expect(one.status == 0 && one.output.contains(words), "\(setting): \(one)")
      }
    }
  }

  /// Only rules ask to which connection a packet belongs.
  @Test(arguments: ["", "policies: [{deny: r1 -> host}]"], ["0", "1"])
  func anAnswerByAnotherNetworkPassesWhereNoRulesAre(rules: String, setting: String) throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "echo \(setting) > /proc/sys/net/bridge/bridge-nf-call-iptables")
      for (name, way) in [("v", "r1"), ("w", "10.9.0.1")] {
        try host.up(
          """
          name: \(name)
          services:
            leaf: {command: [sleep, infinity], network_mode: none, routes: ["10.9.0.0/30 via r1", "10.7.0.0/24 via r1"]}
            r1: {command: [sleep, infinity], networks: [n], forward: true}
            r2: {command: [sleep, infinity], networks: [n], forward: true, routes: ["10.9.1.0/30 via \(way)"]}
          networks: {n: {subnet: 10.7.0.0/24}}
          links:
            - ends: {r1: 10.9.0.1/30, r2: 10.9.0.2/30}
            - ends: {r1: 10.9.1.1/30, leaf: 10.9.1.2/30}
          expect: [{allow: "leaf -> r2:53/udp"}]
          \(rules)
          """, named: name)
        for destination in ["r2@n icmp", "r2@r1 icmp", "r2@n:80", "r2@r1:80"] {
          let reach = try host.run("sh", "-c", "stack reach leaf \(destination.replacing(" icmp", with: ""))")
          #expect(reach.output.contains("0 wrong of"), "\(name), \(destination): \(reach)")
        }
        let verdict = try host.run("stack", "verify", name)
        #expect(verdict.status == 0, "\(name): \(verdict)")
        try host.succeed("stack", "down", name)
      }
    }
  }

  /// Linux would take the packets in. The guard of ports lets them to routers alone.
  @Test func anAddressOfAnotherNetworkIsNotReachedByThisOne() throws {
    try ThrowawayHost.with { host in
      for forwards in ["", ", forward: true"] {
        try host.write(
          """
          name: v
          services:
            c: {command: [sleep, infinity], networks: [front], routes: ["back via app"]}
            d: {command: [sleep, infinity], networks: [back], routes: ["front via app"]}
            app: {command: [sleep, infinity], networks: [front, back]\(forwards)}
          networks: {front: {}, back: {}}
          """, to: "v.stack")
        let up = try host.run("stack", "up", "v.stack", "--verify")
        #expect(up.status == 0 && up.output.contains("0 wrong of"), "\(up)")
        let words = "app does not forward, and has 10.208.1."
        #expect(try host.run("stack", "reach", "c", "app@back").output.contains(words) == forwards.isEmpty)
      }
      try host.write(
        String(contentsOfFile: Repository.stackFile("labs/vlan-trunk.stack"), encoding: .utf8)
          .replacing("forward: true", with: "forward: false"), to: "trunk.stack")
      let trunk = try host.run("stack", "up", "trunk.stack", "--verify")
      #expect(trunk.output.contains("2 wrong of"), "the lines of `expect:` alone: \(trunk)")
    }
  }

  @Test func theHostDoesNotReachItsMacvlanServices() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: v
        services:
          a: {command: [busybox, httpd, -f, -p, "80"], networks: [lan], expose: ["80"]}
          b: {command: [sleep, infinity], networks: [lan]}
          c: {command: [busybox, httpd, -f, -p, "80"], ports: ["8080:80"]}
        networks:
          lan: {driver: macvlan, parent: uplink, subnet: 198.51.100.0/24, gateway: 198.51.100.1, ip_range: 198.51.100.48/28}
        """
      try host.write(text, to: "v.stack")
      let up = try host.run("stack", "up", "v.stack", "--verify")
      #expect(up.status == 0, "\(up)")
      let reach = try host.run("stack", "reach", "host", "a:80")
      #expect(
        reach.output.contains("predicted no: denied since network lan is macvlan: the host and its own"), "\(reach)")
    }
  }

  @Test func whatCannotBeProbedIsSaid() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      for (destination, words) in [
        ("a", "error: v: a -> a cannot be probed: "), ("c@front:80", "error: v: c is not on front\n  it is on back"),
        ("internet:443", "error: v: a -> internet:443 cannot be found out: checks of internet tcp 443 left out: "),
      ] {
        let outcome = try host.run("stack", "reach", "a", destination)
        #expect(outcome.status == 2 && outcome.errors.hasPrefix(words), "\(outcome)")
      }
    }
  }

  @Test func aWayThatAForeignRuleClosesIsNamed() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      let address = try host.ipAddress(of: "a")
      try host.succeed("ip", "netns", "exec", "v.a", "nft", "add table ip foreign")
      try host.succeed(
        "ip", "netns", "exec", "v.a", "nft", "add chain ip foreign in { type filter hook input priority 0 ; }")
      try host.succeed("ip", "netns", "exec", "v.a", "nft", "add rule ip foreign in tcp dport 80 drop")
      let outcome = try host.run("stack", "verify", "v")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("wrong: b -> a:80\n  predicted yes: allowed by default in network front"))
      #expect(outcome.output.contains("observed no: \(address) did not answer"))
      #expect(outcome.output.contains("wrong: host -> host:8080\n"), "\(outcome)")
    }
  }

  @Test func aWayThatLeadsAroundTheFirewallIsNamed() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      // Somebody joins the two networks by a cable of his own.
      try host.succeed(
        "sh", "-c",
        """
        ip -n v.a link add side type veth peer name side netns v.c
        ip -n v.a addr add 10.99.0.1/30 dev side && ip -n v.c addr add 10.99.0.2/30 dev side
        ip -n v.a link set side up && ip -n v.c link set side up
        ip -n v.a route add $(ip -n v.c -j addr show eth0 | jq -r '.[0].addr_info[0].local') via 10.99.0.2
        ip -n v.c route add 10.99.0.1 dev side
        """)
      let outcome = try host.run("stack", "verify", "v")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.output.contains("wrong: a -> c:80\n"), "\(outcome)")
      #expect(outcome.output.contains("wrong: v.stack:\(Self.line("deny: a -> c")), deny: a -> c does not hold\n"))
      let one = try host.run("stack", "reach", "a", "c:80")
      #expect(one.status == 1 && one.output.hasPrefix("a -> c:80\n  predicted no: "), "\(one)")
      #expect(try host.run("stack", "reach", "b", "c:80").status == 0)
    }
  }

  private static func line(_ part: String) -> Int {
    (text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains(part) } ?? -1) + 1
  }

  @Test func formatsForMachines() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      let json = try host.succeed("stack", "verify", "v", "--format", "json")
      let report = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
      #expect(report["wrong"] as? Int == 0)
      let checks = try #require(report["checks"] as? [[String: Any]])
      let pair = checks.first { $0["source"] as? String == "a" && $0["destination"] as? String == "c" }
      #expect(pair?["observed"] as? Bool == false && pair?["predicted"] as? Bool == false)
      let junit = try host.succeed("stack", "verify", "v", "--format", "junit")
      let document = try XMLReader.elements(of: junit)
      #expect(document["testsuite"] == 1 && document["testcase"] == report["total"] as? Int)
      #expect(document["failure"] == nil)
    }
  }

  @Test func whatCannotBeAskedIsSaid() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "v")
      let nobody = try host.run("stack", "verify", "v", "--only", "a,nobody")
      #expect(nobody.status == 2 && nobody.errors.contains("there is no service nobody"), "\(nobody)")
      let more = Self.text.replacingOccurrences(of: "services:", with: "services:\n  new: {command: [sleep, \"9\"]}")
      try host.write(more, to: "v.stack")
      let outcome = try host.run("stack", "verify", "v.stack")
      #expect(outcome.status == 2 && outcome.errors.contains("v/new: is in the file, but not up"), "\(outcome)")
      #expect(try host.run("stack", "reach", "a", "b:0").status == 2)
    }
  }

  /// 20 services in as many networks, each asked on two ports by each: no packet is answered, the slowest case.
  @Test func twentyServicesThatAreApart() throws {
    try ThrowawayHost.with { host in
      let services = (1...20).map { "  s\($0): {command: [sleep, infinity], networks: [n\($0)]}" }
      let networks = (1...20).map { "  n\($0): {}" }
      let text = """
        name: v
        services:
        \(services.joined(separator: "\n"))
        networks:
        \(networks.joined(separator: "\n"))
        expect:
          - deny: s* -> s*:80
          - deny: s* -> s*:81
        """
      try host.up(text, named: "v")
      let outcome = try host.run("stack", "verify", "v")
      #expect(outcome.status == 0, "\(outcome)")
      // Pairs on two ports, and the host to each.
      let total = outcome.lines.last?.split(separator: " ").last.flatMap { Int($0) } ?? 0
      let pairs = 20 * 19 * 2
      #expect(total > pairs + 40 && outcome.lines.last?.hasPrefix("0 wrong") == true, "\(outcome)")
    }
  }
}

/// Counts the elements of a document, by name: xmllint would be another package.
private final class XMLReader {
  static func elements(of text: String) throws -> [String: Int] {
    let pattern = try NSRegularExpression(pattern: "<([a-z]+)[ />]")
    let whole = NSRange(text.startIndex..., in: text)
    return pattern.matches(in: text, range: whole).reduce(into: [:]) { counts, match in
      if let range = Range(match.range(at: 1), in: text) { counts[String(text[range]), default: 0] += 1 }
    }
  }
}
