import Foundation
import Testing

/// `policies:` and `default:` as packets meet them: cases 12 to 14 of the network's acceptance cases.
@Suite struct PolicyTests {
  /// Services that answer on port 80 over HTTP and send back what comes to UDP port 7 and TCP port 9.
  private static func stack(_ services: [(name: String, keys: String)], _ tail: String) -> String {
    let lines = services.map { name, keys in
      """
        \(name):
          <<: *base
          \(keys)
      """
    }
    return """
      name: p
      x-base: &base
        command:
          - sh
          - -c
          - |
            mkdir -p /srv/www && hostname > /srv/www/index.html
            socat UDP-RECVFROM:7,fork EXEC:cat & socat TCP-LISTEN:9,fork,reuseaddr EXEC:cat &
            exec busybox httpd -f -p 80 -h /srv/www
        expose: ["80"]
      services:
      \(lines.joined(separator: "\n"))
      \(tail)
      """
  }

  /// True if a datagram sent from inside a service comes back.
  private func echoes(_ host: ThrowawayHost, from service: String, to address: String, port: Int) throws -> Bool {
    let script = "echo hello | socat -T1 -t1 - UDP:\(address):\(port)"
    return try host.run("stack", "exec", service, "sh", "-c", script).output == "hello"
  }

  @Test func case12DefaultDenyAllowsOnePortByPattern() throws {
    try ThrowawayHost.with { host in
      try host.up(
        Self.stack(
          [("web1", "networks: [n]"), ("web2", "networks: [n]"), ("db", "networks: [n]")],
          "networks: {n: {default: deny}}\npolicies: [allow: \"web* -> db:80\"]"), named: "p")
      let db = try host.ipAddress(of: "db")
      let web1 = try host.ipAddress(of: "web1")
      #expect(try host.get(db, inside: "web1") == "db", "by address")
      #expect(try host.get("db", inside: "web2") == "db", "by name: replies pass")
      #expect(try host.get(web1, inside: "db") == nil, "not the other way")
      #expect(try host.get(web1, inside: "web2") == nil)
      #expect(try !echoes(host, from: "web1", to: db, port: 7), "another transport")
      #expect(try host.get(db) == nil, "from the host")
      #expect(try host.run("stack", "exec", "web1", "ping", "-c1", "-W1", db).status != 0)
      // Those of the stack are told at once.
      let refusal = try host.run("stack", "exec", "web2", "curl", "-s", "--max-time", "5", web1)
      #expect(refusal.status == 7, "refused, not timed out: \(refusal)")
    }
  }

  @Test func case12FromOutsideByRangeAndToOutsideButForNames() throws {
    try ThrowawayHost.with { host in
      try host.up(
        Self.stack(
          [("web", "ports: [\"8080:80\"]"), ("db", "ports: [\"8081:80\"]")],
          """
          networks: {default: {default: deny}}
          policies:
            - allow: 203.0.113.0/24 -> web:80
            - deny: 198.51.100.0/24 -> db
            - allow: any -> db
            - allow: any -> internet:53/udp
          """), named: "p")
      func get(_ port: Int, from source: String) throws -> String? {
        let outcome = try host.run(
          "curl", "-s", "-f", "--max-time", "2", "--interface", source, "\(ThrowawayHost.address):\(port)",
          from: .outside)
        return outcome.status == 0 ? outcome.output : nil
      }
      #expect(try get(8080, from: ThrowawayHost.internetAddress) == "web")
      #expect(try get(8080, from: ThrowawayHost.outsideAddress) == nil)
      #expect(try get(8081, from: ThrowawayHost.internetAddress) == "db")
      #expect(try get(8081, from: ThrowawayHost.outsideAddress) == nil)
      #expect(try host.get("127.0.0.1:8081") == "db", "from the host")
      #expect(try host.get("127.0.0.1:8080") == nil, "from the host")
      #expect(
        try host.get("\(ThrowawayHost.address):8081", inside: "web") == "db", "from a service by the host's address")
      #expect(try host.get("\(ThrowawayHost.address):8081", inside: "db") == "db", "from itself by the host's address")
      #expect(try host.get("\(ThrowawayHost.address):8080", inside: "db") == nil)

      let servers = try host.start(
        ["sh", "-c", "socat UDP-RECVFROM:53,fork EXEC:cat & exec socat TCP-LISTEN:80,fork,reuseaddr EXEC:cat"],
        from: .outside)
      defer { _ = try? host.run("kill", "\(servers.pid)") }
      #expect(try host.eventually { try echoes(host, from: "web", to: ThrowawayHost.outsideAddress, port: 53) })
      let script = "echo hello | socat -T1 -t1 - TCP:\(ThrowawayHost.outsideAddress):80"
      #expect(try host.run("sh", "-c", script).output == "hello", "the host itself")
      #expect(try host.run("stack", "exec", "web", "sh", "-c", script).status != 0)
    }
  }

  @Test func case13AcrossNetworksExactlyWhatARuleOpens() throws {
    try ThrowawayHost.with { host in
      try host.up(
        Self.stack(
          [
            ("a", "networks: [front]"), ("b", "networks: [front]"), ("c", "networks: [back]"),
            ("i", "networks: [inside]"),
          ],
          """
          networks: {front: {}, back: {}, inside: {internal: true}}
          policies:
            - allow: a -> c:80
            - allow: a -> i:80
            - deny: a -> b:80
          """), named: "p")
      let (b, c) = (try host.ipAddress(of: "b"), try host.ipAddress(of: "c"))
      #expect(try host.get(c, inside: "a") == "c")
      #expect(try host.get(try host.ipAddress(of: "i"), inside: "a") == "i", "an internal network answers too")
      #expect(try host.get(c, inside: "b") == nil)
      #expect(try host.get(try host.ipAddress(of: "a"), inside: "c") == nil)
      #expect(try !echoes(host, from: "a", to: c, port: 7))
      #expect(try host.get(b, inside: "a") == nil, "on one bridge")
      #expect(try echoes(host, from: "a", to: b, port: 7), "another port of the same bridge")
      #expect(try host.get(try host.ipAddress(of: "a"), inside: "b") == "a")
    }
  }

  @Test func case13ATightenedRuleCutsAndALoosenedOneOpensAtOnce() throws {
    try ThrowawayHost.with { host in
      let services = [("a", "networks: [n]"), ("b", "networks: [n]"), ("c", "networks: [n]")]
      func up(_ policies: String) throws -> String {
        try host.write(Self.stack(services, "networks: {n: {}}\n\(policies)"), to: "p.stack")
        let outcome = try host.run("stack", "up", "p.stack", "--progress", "plain")
        guard outcome.status == 0 else { throw HarnessError(outcome.description) }
        return outcome.description
      }
      _ = try up("")
      let before = try host.stackProcesses()
      let (b, c) = (try host.ipAddress(of: "b"), try host.ipAddress(of: "c"))
      /// Sends a numbered line every 20 ms over one connection and counts what comes back: until it is told to stop, or the
      /// connection ends.
      func flow(to address: String, _ name: String) throws -> Subprocess {
        let send = """
          i=0; while [ ! -e /tmp/stop ] && [ $i -lt 10000 ]; do
            i=$((i+1)); echo $i > /tmp/\(name).new; mv /tmp/\(name).new /tmp/\(name); echo $i || exit; sleep 0.02
          done
          """
        return try host.start(
          ["stack", "exec", "a", "sh", "-c", "(\(send)) | socat -t10 - TCP:\(address):9 | wc -l"])
      }
      let (cut, kept) = (try flow(to: b, "cut"), try flow(to: c, "kept"))
      #expect(
        try host.eventually {
          try host.run("stack", "exec", "a", "sh", "-c", "ss -tn state established | grep -c :9").output == "2"
        })
      let said = try up("policies: [deny: \"a -> b\"]")
      #expect(said.contains("policies: added deny: a -> b"))
      _ = try cut.wait(limit: .seconds(60))
      #expect(try host.get(b, inside: "a") == nil)
      #expect(try host.get(c, inside: "a") == "c")
      _ = try up("policies: [deny: \"a -> b:9\"]")
      #expect(try host.get(b, inside: "a") == "b", "loosened")
      try host.succeed("stack", "exec", "a", "touch", "/tmp/stop")
      let whole = try kept.wait(limit: .seconds(60))
      let sent = try host.succeed("stack", "exec", "a", "cat", "/tmp/kept")
      #expect(whole.output == sent, "not a line of what is allowed is lost")
      #expect(try host.stackProcesses() == before, "nothing was made anew")
    }
  }

  @Test func case14NothingElseIsChanged() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c",
        "ip link add foreign type bridge && ip link set foreign up && echo 1 > /proc/sys/net/ipv4/ip_forward")
      try host.up(
        ThrowawayHost.servers(stack: "other", ["a", "b"]).replacingOccurrences(of: "name: other", with: "name: o"),
        named: "o")
      let other = try host.succeed("nft", "list", "table", "inet", "stack-o")
      let before = try host.succeed("sh", "-c", "sysctl -a 2>/dev/null | grep ^net.bridge")
      try host.up(
        Self.stack([("a", "networks: [n, m]"), ("c", "networks: [n]")], "networks: {n: {default: deny}, m: {}}"),
        named: "p")
      #expect(try host.succeed("sh", "-c", "sysctl -a 2>/dev/null | grep ^net.bridge") == before)
      #expect(try host.succeed("nft", "list", "table", "inet", "stack-o") == other)
      let bridges = try host.succeed(
        "sh", "-c",
        "for b in $(ls -d /sys/class/net/*/bridge); do echo $(basename $(dirname $b)) $(cat $b/nf_call_iptables); done")
      #expect(Set(bridges.split(separator: "\n")) == ["foreign 0", "o-default 0", "p-n 1", "p-m 0"])
      let addresses = try host.listing("o").compactMap { $0["IPAddress"] as? String }
      #expect(try host.get(addresses[1], inside: "o/a") == "other b")
    }
  }

  @Test func theCountersOfRulesAreThoseOfTheTraffic() throws {
    try ThrowawayHost.with { host in
      func write(_ policies: String) throws {
        try host.up(
          Self.stack([("a", "networks: [n]"), ("b", "networks: [n]")], "networks: {n: {}}\npolicies:\n\(policies)"),
          named: "p")
      }
      func counts() throws -> [String: [Int]] {
        let report = try host.succeed("stack", "policy", "p", "--format", "json")
        let object = try JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: Any]
        let rules = object?["rules"] as? [[String: Any]] ?? []
        return Dictionary(
          rules.map { ($0["rule"] as? String ?? "", [$0["packets"] as? Int ?? -1, $0["bytes"] as? Int ?? -1]) }
        ) { first, _ in first }
      }
      try write("  - allow: \"a -> b:80\"\n  - deny: \"a -> b:icmp\"")
      let b = try host.ipAddress(of: "b")
      for _ in 0..<3 { #expect(try host.get(b, inside: "a") == "b") }
      // 20 octets of IP, 8 of ICMP, 56 of data; each is refused.
      try host.run("stack", "exec", "a", "ping", "-c4", "-i0.2", "-W1", b)
      #expect(try counts() == ["a -> b:80": [3, 180], "a -> b:icmp": [4, 336]])
      let shown = try host.succeed("stack", "policy", "p")
      #expect(shown.contains("p.stack:") && shown.contains("deny: a -> b:icmp") && shown.contains("336"))
      // What a rule has counted it keeps, wherever it goes.
      try write("  - deny: \"b -> a:22\"\n  - deny: \"a -> b:icmp\"\n  - allow: \"a -> b:80\"")
      #expect(try counts() == ["b -> a:22": [0, 0], "a -> b:80": [3, 180], "a -> b:icmp": [4, 336]])
    }
  }
}
