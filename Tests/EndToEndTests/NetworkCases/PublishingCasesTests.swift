import Foundation
import Testing

/// Cases 6 to 11 of the network's acceptance cases, each over IPv4 and IPv6, by TCP and UDP.
@Suite struct PublishingCasesTests {
  private static let ipv6 = "networks:\n  default: {enable_ipv6: true}\n"
  private static let both = "ports: [\"8080:80\", \"8080:80/udp\"]"

  @Test func case6APublishedPortAnswersFromEverywhere() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering("p", [ThrowawayHost.answering("a", Self.both), ThrowawayHost.answering("b")], Self.ipv6)
      let (own, outside) = (ThrowawayHost.addresses, ThrowawayHost.outsideAddresses)
      // The service sees the true source address of outside.
      #expect(
        try host.wrong([own[0]: "a \(outside[0])", own[1]: "a \(outside[1])"], port: 8080, from: .outside) == [])
      // Of the host by one of its addresses that one, and by a loopback address the bridge's, since no service could answer that.
      let gateways = try host.gateways(ofNamespace: "p.a")
      #expect(
        try host.wrong(
          [
            own[0]: "a \(own[0])", own[1]: "a \(own[1])", "127.0.0.1": "a \(gateways[0])", "::1": "a \(gateways[1])",
          ], port: 8080, from: .host
        ) == [])
      for url in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        #expect(try host.succeed("curl", "-s", "-g", "-m2", "--http0.9", url).hasPrefix("a "))
      }
      #expect(try host.wrong(["::1": nil, "127.0.0.1": nil], port: 8081, from: .host) == [])
      let publishers = try host.field("Publishers", of: "a", as: [[String: Any]].self)
      #expect(Set(publishers.compactMap { $0["URL"] as? String }) == ["0.0.0.0", "::"])
    }
  }

  /// Bridged frames take other paths in the kernel with br_netfilter. Both settings must work.
  @Test func case6LoopbackWorksWithAndWithoutBridgedFramesInTheFirewall() throws {
    for passes in ["0", "1"] {
      try ThrowawayHost.with { host in
        let switches =
          "for f in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do [ ! -e $f ] || echo \(passes) > $f; done"
        try host.succeed("sh", "-c", switches)
        try host.upAnswering("p", [ThrowawayHost.answering("a", Self.both)], Self.ipv6)
        let gateways = try host.gateways(ofNamespace: "p.a")
        let expected = ["127.0.0.1": "a \(gateways[0])", "::1": "a \(gateways[1])"]
        #expect(try host.wrong(expected, port: 8080, from: .host) == [])
        let own = ThrowawayHost.addresses
        #expect(
          try host.wrong([own[0]: "a \(gateways[0])", own[1]: "a \(gateways[1])"], port: 8080, from: .service("a"))
            == [])
      }
    }
  }

  @Test func case7ServicesReachPublishedPortsByTheHostsAddress() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering(
        "p",
        [
          ThrowawayHost.answering("a", Self.both), ThrowawayHost.answering("b"),
          ThrowawayHost.answering("far", "networks: [other]"),
        ], "networks:\n  default: {enable_ipv6: true}\n  other: {enable_ipv6: true}\n")
      try host.upAnswering("q", [ThrowawayHost.answering("stranger")], Self.ipv6)
      let own = ThrowawayHost.addresses
      let gateways = try host.gateways(ofNamespace: "p.a")
      // Of its own network, itself included, a service is seen by the bridge's address; from another network by its own.
      for asker in ["a", "b"] {
        let expected = [own[0]: "a \(gateways[0])", own[1]: "a \(gateways[1])"]
        #expect(try host.wrong(expected, port: 8080, from: .service(asker)) == [])
      }
      // What leaves another stack carries the host's address.
      for (asker, address) in try [("far", host.addresses(of: "far")), ("stranger", gateways)] {
        let expected = [own[0]: "a \(address[0])", own[1]: "a \(address[1])"]
        let wrong = try host.wrong(expected, port: 8080, from: .service(asker))
        #expect(wrong == [])
      }
    }
  }

  @Test func case8APortOfALoopbackAddressIsForTheHostAlone() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering(
        "p",
        [
          ThrowawayHost.answering(
            "a",
            "ports: [\"127.0.0.1:8080:80\", \"127.0.0.1:8080:80/udp\", \"[::1]:8080:80\", \"::1:8080:80/udp\"]")
        ], Self.ipv6)
      let gateways = try host.gateways(ofNamespace: "p.a")
      let own = ThrowawayHost.addresses
      #expect(
        try host.wrong(
          [
            "127.0.0.1": "a \(gateways[0])", "::1": "a \(gateways[1])", own[0]: nil, own[1]: nil,
          ], port: 8080, from: .host
        ) == [])
      #expect(try host.wrong([own[0]: nil, own[1]: nil], port: 8080, from: .outside) == [])
      // Nor by packets to the loopback addresses that arrive on the uplink.
      try host.succeed(
        "sh", "-c",
        """
        echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
        ip address del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via \(own[0])
        ip -6 address del ::1/128 dev lo; ip -6 route add ::1 via \(own[1])
        """, from: .outside)
      #expect(try host.wrong(["127.0.0.1": nil, "::1": nil], port: 8080, from: .outside) == [])
      #expect(try host.wrong(["127.0.0.1": "a \(gateways[0])"], port: 8080, from: .host) == [])
    }
  }

  @Test func case9RangesAddressesAndFreePorts() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c", "ip addr add 198.51.100.3/24 dev uplink; ip addr add 2001:db8:1::3/64 dev uplink nodad")
      let own = ThrowawayHost.addresses
      try host.upAnswering(
        "p",
        [
          ThrowawayHost.answering(
            "a", ports: [80, 90, 91],
            "ports: [\"\(own[0]):8080:80\", \"\(own[0]):8080:80/udp\", \"[\(own[1])]:8080:80\", \"[\(own[1])]:8080:80/udp\", "
              + "\"8090-8091:90-91\", \"8090-8091:90-91/udp\", \"80\"]"),
          ThrowawayHost.answering(
            "b",
            "ports: [\"198.51.100.3:8080:80\", \"198.51.100.3:8080:80/udp\", \"[2001:db8:1::3]:8080:80\", "
              + "\"[2001:db8:1::3]:8080:80/udp\", \"0.0.0.0:7000:80\", \"0.0.0.0:7000:80/udp\", \"[::]:7001:80\", \"[::]:7001:80/udp\"]"
          ),
        ], Self.ipv6)
      let outside = ThrowawayHost.outsideAddresses
      // The same port on two addresses is two services.
      #expect(
        try host.wrong(
          [
            own[0]: "a \(outside[0])", own[1]: "a \(outside[1])", "198.51.100.3": "b \(outside[0])",
            "2001:db8:1::3": "b \(outside[1])",
          ], port: 8080, from: .outside
        ) == [])
      for port in [8090, 8091] {
        let expected = [own[0]: "a \(outside[0])", own[1]: "a \(outside[1])"]
        #expect(try host.wrong(expected, port: port, from: .outside) == [])
      }
      // One family alone.
      #expect(try host.wrong([own[0]: "b \(outside[0])", own[1]: nil], port: 7000, from: .outside) == [])
      #expect(try host.wrong([own[0]: nil, own[1]: "b \(outside[1])"], port: 7001, from: .outside) == [])
      let publishers = try host.field("Publishers", of: "a", as: [[String: Any]].self)
      let chosen = try #require(
        publishers.filter { $0["TargetPort"] as? Int == 80 }.compactMap { $0["PublishedPort"] as? Int }.first {
          $0 != 8080
        })
      let answers = try host.ask(
        own.map { Question(transport: "tcp", address: $0, port: chosen) }, from: .outside)
      #expect(answers == ["a \(outside[0])", "a \(outside[1])"])
    }
  }

  @Test func case10AFlowFromBeforeUpReachesTheNewService() throws {
    try ThrowawayHost.with { host in
      // Something that tracks connections, as on any host with a firewall.
      try host.succeed(
        "nft",
        "add table inet other; add chain inet other c { type filter hook input priority 0; }; add rule inet other c ct state established accept"
      )
      for address in ThrowawayHost.addresses {
        try host.writePrograms()
        // One socket, one flow: it asks again and again, and writes down the first answer.
        let client = try host.start(["python3", "-u", "-c", Self.persistentClient, address, "8080"], from: .outside)
        #expect(host.eventually { client.output.contains("asked") })
        try host.upAnswering("p", [ThrowawayHost.answering("a", Self.both)], Self.ipv6)
        #expect(host.eventually(within: .seconds(20)) { client.output.contains("a ") }, "\(client.output)")
        // Led to another service: the flow goes there at once.
        try host.upAnswering(
          "p", [ThrowawayHost.answering("a"), ThrowawayHost.answering("b", Self.both)], Self.ipv6)
        #expect(host.eventually(within: .seconds(20)) { client.output.contains("b ") }, "\(client.output)")
        try host.succeed("stack", "restart", "b")
        let count = client.output.count
        #expect(host.eventually(within: .seconds(20)) { client.output.dropFirst(count).contains("b ") })
        try host.signal(15, to: client)
        try host.succeed("stack", "down", "p")
        let left = try host.succeed("cat", "/proc/net/nf_conntrack")
        #expect(!left.contains("src=10.208.") && !left.contains("src=fd"), "\(left)")
      }
    }
  }

  private static let persistentClient = """
    import socket, sys, time
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.settimeout(0.1)
    client.bind(("", 4000))
    while True:
        try:
            client.sendto(b"who?", (sys.argv[1], int(sys.argv[2])))
            print("asked")
            print(client.recv(2048).decode().strip())
        except OSError:
            pass
        time.sleep(0.05)
    """

  @Test func case11AThousandPortsAreFewRules() throws {
    try ThrowawayHost.with { host in
      try host.upAnswering(
        "p", [ThrowawayHost.answering("a", "ports: [\"20000-20999:20000-20999\", \"8080:80\", \"8080:80/udp\"]")],
        Self.ipv6)
      try host.upAnswering("q", [ThrowawayHost.answering("a", "ports: [\"8081:80\"]")], Self.ipv6)
      let rules = try ["p", "q"].map { stack in
        try host.succeed(
          "sh", "-c", "nft -j list table inet stack-\(stack) | jq '[.nftables[]|select(.rule)]|length'")
      }
      // Elements of maps, whatever the guards beside them take.
      #expect(rules[0] == rules[1])
      let outside = ThrowawayHost.outsideAddresses
      let own = ThrowawayHost.addresses
      #expect(
        try host.wrong([own[0]: "a \(outside[0])", own[1]: "a \(outside[1])"], port: 8080, from: .outside) == [])
    }
  }

  // MARK: Allow-lists and ports in use

  @Test func onlyWhoIsOnTheListReachesThePort() throws {
    try ThrowawayHost.with { host in
      let outside = ThrowawayHost.outsideAddresses
      let (first, second) = (outside.map { "\"\($0)\"" }.joined(separator: ", "), "192.0.2.0/24, \"2001:db8:f::/48\"")
      func port(_ number: Int, _ transport: String, _ from: String) -> String {
        "{target: 80, published: \"\(number)\", protocol: \(transport), from: [\(from)]}"
      }
      let ports = ["tcp", "udp"].flatMap { transport in
        [
          port(8001, transport, first), port(8002, transport, second), port(8003, transport, "127.0.0.0/8, \"::1\""),
          port(8004, transport, "10.0.0.0/8, 10.208.0.0/16, \"fd00::/8\""),
        ]
      }
      try host.upAnswering(
        "p", [ThrowawayHost.answering("a", "ports: [\(ports.joined(separator: ", "))]"), ThrowawayHost.answering("b")],
        Self.ipv6)
      let own = ThrowawayHost.addresses
      let gateways = try host.gateways(ofNamespace: "p.a")
      let seen = [own[0]: "a \(outside[0])", own[1]: "a \(outside[1])"]
      #expect(try host.wrong(seen, port: 8001, from: .outside) == [])
      for port in [8002, 8003, 8004] {
        #expect(try host.wrong([own[0]: nil, own[1]: nil], port: port, from: .outside) == [])
      }
      // The host itself has to be on the list like everybody else.
      #expect(
        try host.wrong(["127.0.0.1": nil, "::1": nil, own[0]: nil, own[1]: nil], port: 8001, from: .host) == [])
      #expect(
        try host.wrong(
          ["127.0.0.1": "a \(gateways[0])", "::1": "a \(gateways[1])", own[0]: nil, own[1]: nil], port: 8003,
          from: .host
        ) == [])
      let inside = [own[0]: "a \(gateways[0])", own[1]: "a \(gateways[1])"]
      #expect(try host.wrong(inside, port: 8004, from: .service("b")) == [])
      #expect(try host.wrong([own[0]: nil, own[1]: nil], port: 8001, from: .service("b")) == [])
    }
  }

  /// Case 20 of the faults: nothing is made, and the user of the port is named.
  @Test func aPortInUseIsRefusedByTheNameOfItsUser() throws {
    try ThrowawayHost.with { host in
      /// nil when the port is published after all.
      func refusal(_ ports: String, ipv6: Bool = true) throws -> String? {
        let tail = ipv6 ? Self.ipv6 : ""
        try host.write("name: p\nservices:\n" + ThrowawayHost.answering("a", "ports: [\(ports)]") + tail, to: "p.stack")
        let outcome = try host.run("stack", "up", "p.stack")
        guard outcome.status == 0 else { return outcome.errors }
        try host.succeed("stack", "down", "p")
        return nil
      }
      func listen(_ address: String) throws -> Subprocess {
        let program = try host.start(["socat", "\(address),reuseaddr,fork", "EXEC:cat"])
        let line = "ss -Hltun | grep -q :8080"
        guard try host.eventually({ try host.run("sh", "-c", line).status == 0 }) else { throw HarnessError(address) }
        return program
      }
      try host.writePrograms()
      let before = try HostState(of: host)
      let user = "in use by socat (pid "
      for (listener, ports, ipv6, isRefused) in [
        ("TCP6-LISTEN:8080,ipv6only=1", "\"8080:80\"", true, true),
        ("TCP6-LISTEN:8080,ipv6only=1", "\"8080:80\"", false, false),
        ("TCP6-LISTEN:8080,ipv6only=1", "\"0.0.0.0:8080:80\"", true, false),
        ("TCP6-LISTEN:8080,ipv6only=0", "\"0.0.0.0:8080:80\"", true, true),
        ("TCP6-LISTEN:8080,bind=[::1]", "\"[::]:8080:80\"", true, true),
        ("TCP6-LISTEN:8080,bind=[::1]", "\"[2001:db8:1::2]:8080:80\"", true, false),
        ("TCP4-LISTEN:8080", "\"[::1]:8080:80\"", true, false), ("TCP4-LISTEN:8080", "\"8080:80\"", true, true),
        ("UDP6-RECVFROM:8080,ipv6only=1", "\"8080:80\"", true, false),
        ("UDP6-RECVFROM:8080,ipv6only=1", "\"8080:80/udp\"", true, true),
      ] {
        let program = try listen(listener)
        let said = try refusal(ports, ipv6: ipv6)
        #expect((said?.contains(user) ?? false) == isRefused, "\(listener) against \(ports): \(said ?? "published")")
        try host.signal(15, to: program)
        _ = try program.wait(limit: .seconds(60))
        if isRefused { try host.expectUnchanged(since: before) }
      }
      try host.upAnswering("other", [ThrowawayHost.answering("b", "ports: [\"[::1]:8080:80\"]")], Self.ipv6)
      #expect(try refusal("\"8080:80\"")?.contains("in use by stack other") ?? false)
      #expect(try refusal("\"127.0.0.1:8080:80\"") == nil)
    }
  }
}
