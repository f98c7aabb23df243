import Foundation
import Testing

/// Reachability without published ports: within a network, across networks, across stacks, and to the internet.
@Suite struct NetworkTests {
  @Test func servicesOfOneNetworkReachEachOtherBothWays() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "n", ["a", "b"]), named: "n")
      for (source, target) in [("a", "b"), ("b", "a")] {
        #expect(try host.get(target, inside: source) == "n \(target)", "by name")
        #expect(try host.get(host.ipAddress(of: target), inside: source) == "n \(target)", "by address")
      }
    }
  }

  @Test func networksOfOneStackAreApart() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(
        stack: "n", ["a", "b", "both"],
        extra: ["a": ["networks: [front]"], "b": ["networks: [back]"], "both": ["networks: [front, back]"]],
        tail: "networks:\n  front: {}\n  back: {}")
      try host.up(text, named: "n")
      #expect(try host.get(host.ipAddress(of: "b"), inside: "a") == nil)
      #expect(try host.get(host.ipAddress(of: "a"), inside: "b") == nil)
      #expect(try host.get("b", inside: "a") == nil, "a name of a network that one is not on")
      #expect(try host.get("a", inside: "both") == "n a")
      #expect(try host.get("b", inside: "both") == "n b")
      // Nor by way of the host's own address on the other bridge.
      let gateway = try host.succeed(
        "sh", "-c", "ip netns exec n.b ip -j route show default | jq -r '.[0].gateway'")
      try host.write("on the host", to: "index.html")
      let server = try host.start(["busybox", "httpd", "-f", "-p", "\(gateway):8000", "-h", "."])
      #expect(try host.eventually { try host.get("\(gateway):8000") == "on the host" })
      #expect(try host.get("\(gateway):8000", inside: "a") == nil)
      try host.signal(15, to: server)
    }
  }

  @Test func stacksAreApart() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "one", ["a"]), named: "one")
      try host.up(ThrowawayHost.servers(stack: "two", ["b"]), named: "two")
      #expect(try host.get(host.ipAddress(of: "b"), inside: "a") == nil)
      #expect(try host.get(host.ipAddress(of: "a"), inside: "b") == nil)
      #expect(try host.get("b", inside: "a") == nil)
    }
  }

  @Test func takingOneStackDownLeavesTheOther() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "one", ["a"], extra: ["a": ["ports: [\"8080:80\"]"]]), named: "one")
      let before = try HostState(of: host)
      try host.up(ThrowawayHost.servers(stack: "two", ["b"], extra: ["b": ["ports: [\"8081:80\"]"]]), named: "two")
      #expect(try host.get("127.0.0.1:8081") == "two b")
      try host.succeed("stack", "down", "two")
      try host.expectUnchanged(since: before)
      #expect(try host.get("127.0.0.1:8080") == "one a")
    }
  }

  @Test func whatGoesOutCarriesTheHostsAddress() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "n", ["a"]), named: "n")
      let server = try host.start(
        ["socat", "TCP-LISTEN:9000,fork,reuseaddr", "SYSTEM:echo $SOCAT_PEERADDR"], from: .outside)
      #expect(
        try host.eventually {
          let script = "socat -T2 - TCP:\(ThrowawayHost.internetAddress):9000 </dev/null"
          return try host.run("stack", "exec", "a", "sh", "-c", script).output == ThrowawayHost.address
        })
      try host.signal(15, to: server)
    }
  }

  @Test func anInternalNetworkHasNoWayOut() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(stack: "n", ["a", "b"], tail: "networks:\n  default:\n    internal: true")
      try host.up(text, named: "n")
      let server = try host.start(["socat", "TCP-LISTEN:9000,fork,reuseaddr", "SYSTEM:echo out"], from: .outside)
      let ask = "socat -T2 - TCP:\(ThrowawayHost.internetAddress):9000,connect-timeout=2 </dev/null"
      #expect(try host.eventually { try host.run("sh", "-c", ask).output == "out" }, "the host itself has a way out")
      #expect(try host.run("stack", "exec", "a", "sh", "-c", ask).output != "out")
      #expect(try host.get("b", inside: "a") == "n b")
      try host.signal(15, to: server)
    }
  }

  @Test func fixedAddressesSubnetsAndAliasesAreKept() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(
        stack: "n", ["a", "b"],
        extra: [
          "b": ["networks:", "  lab:", "    ipv4_address: 10.77.0.9", "    aliases: [store]"], "a": ["networks: [lab]"],
        ],
        tail: "networks:\n  lab:\n    subnet: 10.77.0.0/24")
      try host.up(text, named: "n")
      #expect(try host.ipAddress(of: "b") == "10.77.0.9")
      #expect(try host.get("store", inside: "a") == "n b")
      #expect(try host.get("10.77.0.9", inside: "a") == "n b")
    }
  }

  @Test func aSubnetThatTheHostRoutesElsewhereIsRefused() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let text = ThrowawayHost.servers(stack: "n", ["a"], tail: "networks:\n  default:\n    subnet: 198.51.100.0/25")
      try host.write(text, to: "n.stack")
      let outcome = try host.run("stack", "up", "n.stack")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.errors.contains("198.51.100.0/2"), "\(outcome)")
      try host.expectUnchanged(since: before)
    }
  }
}
