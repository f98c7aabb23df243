import Foundation
import Testing

/// Cases 1 to 5 of the network's acceptance cases, each over IPv4 and IPv6, by TCP and UDP.
@Suite struct ReachingTests {
  private static let ipv6 = "networks:\n  default: {enable_ipv6: true}\n"

  @Test func case1ServicesOfOneNetworkReachEachOther() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering(
        "n",
        [
          ThrowawayHost.answering("a"),
          ThrowawayHost.answering("b", "networks: {default: {aliases: [store]}}"),
        ], Self.ipv6)
      let (a, b) = (try host.addresses(of: "a"), try host.addresses(of: "b"))
      #expect(a.count == 2 && b.count == 2)
      // The source is the sender's own address, of the family that was asked by.
      #expect(try host.wrong([b[0]: "b \(a[0])", b[1]: "b \(a[1])"], from: .service("a")) == [])
      #expect(try host.wrong([a[0]: "a \(b[0])", a[1]: "a \(b[1])"], from: .service("b")) == [])
      // A name has both addresses, and IPv6 comes first (gai.conf(5)).
      #expect(try host.wrong(["b": "b \(a[1])", "store": "b \(a[1])"], from: .service("a")) == [])
      for name in ["b", "store"] {
        #expect(try host.succeed("stack", "exec", "a", "getent", "ahostsv6", name).hasPrefix("\(b[1]) "))
        #expect(try host.run("stack", "exec", "a", "ping", "-6", "-c1", "-W1", name).status == 0)
      }
      #expect(try host.succeed("stack", "exec", "a", "curl", "-s", "-m2", "--http0.9", "http://b/") == "b \(a[1])")
    }
  }

  @Test func case2WhatGoesOutIsMasqueraded() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering("n", [ThrowawayHost.answering("a")], Self.ipv6)
      try host.upAnswering(
        "in", [ThrowawayHost.answering("shut")], "networks:\n  default: {enable_ipv6: true, internal: true}\n")
      let server = try host.startAnswering("out", ports: [9000], from: .outside)
      let there = ThrowawayHost.outsideAddresses
      #expect(
        try host.wrong(
          [there[0]: "out \(ThrowawayHost.addresses[0])", there[1]: "out \(ThrowawayHost.addresses[1])"], port: 9000,
          from: .service("a")
        ) == [])
      #expect(try host.isRefused(Question.both(there, port: 9000), from: "shut"))
      try host.signal(15, to: server)
    }
  }

  @Test func case3NetworksOfOneStackAreApart() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering(
        "n",
        [
          ThrowawayHost.answering("a", "networks: [front]"), ThrowawayHost.answering("b", "networks: [back]"),
          ThrowawayHost.answering("both", "networks: [front, back]"),
        ], "networks:\n  front: {enable_ipv6: true}\n  back: {enable_ipv6: true}\n")
      let (a, b) = (try host.addresses(of: "a"), try host.addresses(of: "b"))
      #expect(try host.wrong([b[0]: nil, b[1]: nil], from: .service("a")) == [])
      #expect(try host.wrong([a[0]: nil, a[1]: nil], from: .service("b")) == [])
      // A service on two networks reaches both, with its address there: IPv4 of both networks comes first.
      let both = try host.addresses(of: "both")
      #expect(try host.wrong([a[0]: "a \(both[0])", a[1]: "a \(both[2])"], from: .service("both")) == [])
      #expect(try host.wrong([b[0]: "b \(both[1])", b[1]: "b \(both[3])"], from: .service("both")) == [])
      // The host's address on the other bridge is no way in; the one on one's own bridge is the host.
      let server = try host.startAnswering("host", ports: [8000], from: .host)
      let (own, other) = (try host.gateways(ofNamespace: "n.a"), try host.gateways(ofNamespace: "n.b"))
      #expect(
        try host.wrong(
          [own[0]: "host \(a[0])", own[1]: "host \(a[1])", other[0]: nil, other[1]: nil], port: 8000,
          from: .service("a")
        ) == [])
      try host.signal(15, to: server)
    }
  }

  @Test func case4StacksAreApart() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering("one", [ThrowawayHost.answering("a")], Self.ipv6)
      try host.upAnswering(
        "two",
        [
          ThrowawayHost.answering("b"),
          ThrowawayHost.answering("c", "networks: {default: {gw_priority: 1}, other: {gw_priority: 2}}"),
        ], "networks:\n  default: {enable_ipv6: true}\n  other: {enable_ipv6: true}\n")
      let (a, b) = (try host.addresses(of: "a"), try host.addresses(of: "b"))
      #expect(try host.wrong([b[0]: nil, b[1]: nil], from: .service("a")) == [])
      #expect(try host.wrong([a[0]: nil, a[1]: nil], from: .service("b")) == [])
      for family in ["-4", "-6"] {
        let route = try host.succeed("ip", "netns", "exec", "two.c", "ip", family, "route", "show", "default")
        #expect(route.contains("dev eth1"), "the default route is the one with the highest priority: \(route)")
      }
    }
  }

  @Test func case5AServicesOwnAddressIsForTheHostAlone() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering("n", [ThrowawayHost.answering("a")], Self.ipv6)
      let (a, gateways) = (try host.addresses(of: "a"), try host.gateways(ofNamespace: "n.a"))
      for (address, way) in zip(a, ThrowawayHost.addresses) {
        try host.succeed("ip", "route", "add", address, "via", way, from: .outside)
      }
      #expect(try host.wrong([a[0]: nil, a[1]: nil], from: .outside) == [])
      #expect(try host.wrong([a[0]: "a \(gateways[0])", a[1]: "a \(gateways[1])"], from: .host) == [])
    }
  }

  /// With the number of services the square of what the kernel sends of its own accord would grow.
  @Test func nothingIsSentThatNobodyAskedFor() throws {
    try ThrowawayHost.with { host in
      func text(_ count: Int) -> String {
        let others = "  others: {command: [sleep, infinity], scale: \(count)}\n"
        return "name: n\nservices:\n  quiet: {command: [sleep, infinity]}\n" + (count > 0 ? others : "") + Self.ipv6
      }
      try host.up(text(0), named: "n")
      let capture = try host.start(["ip", "netns", "exec", "n.quiet", "tcpdump", "-lni", "eth0"])
      #expect(
        try host.eventually { try host.run("ip", "netns", "exec", "n.quiet", "ss", "-H0").output.contains("eth0") })
      // The bridge itself says which groups it is in, twice within a second: that does not grow.
      _ = host.eventually(within: .seconds(2)) { capture.output.split(separator: "\n").count >= 2 }
      let earlier = capture.output.split(separator: "\n").count
      try host.up(text(10), named: "n")
      // Each service says once which groups it is in (a report in answer to nothing has to be sent), and that is all: looked at for
      // longer than the kernel would wait before it repeats a report.
      let isQuiet = host.always(for: .milliseconds(1500)) {
        let frames = capture.output.split(separator: "\n")
        return frames.count - earlier < 15 && frames.allSatisfy { $0.contains("multicast listener report") }
      }
      #expect(isQuiet, "\(capture.output)")
      try host.signal(2, to: capture)
    }
  }

  /// The host's IPv6 settings are restored, and addresses are usable at once.
  @Test func ipv6LeavesNothingBehind() throws {
    try ThrowawayHost.with { host in
      // A link that listens to routers, and one that forwards already.
      try host.succeed(
        "sh", "-c",
        """
        ip link add ra0 index 31 type veth peer name fw0 index 33; ip link set ra0 up; ip link set fw0 up
        echo 1 > /proc/sys/net/ipv6/conf/fw0/forwarding
        """)
      // Addresses that the kernel gave those links settle after the detection of duplicates.
      #expect(try host.eventually { try !host.succeed("ip", "-6", "address").contains("tentative") })
      let settings = "cd /proc/sys/net/ipv6/conf; grep . */forwarding */accept_ra"
      let (before, sysctls) = (try HostState(of: host), try host.succeed("sh", "-c", settings))
      try host.upAnswering("n", [ThrowawayHost.answering("a"), ThrowawayHost.answering("b")], Self.ipv6)
      #expect(try host.succeed("cat", "/proc/sys/net/ipv6/conf/all/forwarding") == "1")
      #expect(try host.succeed("cat", "/proc/sys/net/ipv6/conf/ra0/accept_ra") == "2", "it still listens to routers")
      #expect(try host.succeed("ip", "-6", "-n", "n.a", "address", "show", "tentative").isEmpty)
      #expect(!(try host.succeed("ip", "-6", "-n", "n.a", "address", "show", "dev", "eth0").contains("fe80")))
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
      #expect(try host.succeed("sh", "-c", settings) == sysctls)
    }
  }
}
