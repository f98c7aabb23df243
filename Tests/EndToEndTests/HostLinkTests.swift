import Foundation
import Testing

/// Cables that end at a link of the host: frames pass both ways, the host stands aside meanwhile, and gets its link back as it
/// was. The namespace `beyond` is the machine at the link's other end. Seen with ip(8), ping and tcpdump.
@Suite struct HostLinkTests {
  private static let text = """
    name: t
    services:
      r1: {command: [sleep, infinity], network_mode: none, forward: true}
    links:
      - ends: {r1: [10.0.9.1/24, "fd00:9::1/64"], host: {link: lab0}}
    """

  private func makeLink(_ host: ThrowawayHost, isUp: Bool = true) throws {
    try host.succeed(
      "sh", "-ec",
      """
      ip netns add beyond
      ip link add lab0 type veth peer name far index 77 netns beyond
      # The kernel gives a link its queue when it is first up, and never takes that away again.
      ip link set lab0 up; ip link set lab0 down
      ip addr add 2001:db8:9::9/64 dev lab0
      ip addr add 192.0.2.9/24 dev lab0
      ip -n beyond addr add 10.0.9.2/24 dev far
      ip -n beyond addr add fd00:9::2/64 dev far nodad
      ip -n beyond addr add 192.0.2.8/24 dev far
      ip -n beyond link set far up
      ip link set lab0 \(isUp ? "up" : "down")
      """)
    guard isUp else { return }
    #expect(try host.eventually { try state(host).contains("fe80:") && !state(host).contains("tentative") })
  }

  private func state(_ host: ThrowawayHost) throws -> String {
    try host.succeed(
      "sh", "-c", "ip -d addr show lab0 | grep -v valid_lft; ip route show dev lab0; ip -6 route show dev lab0")
  }

  private func pings(_ host: ThrowawayHost, _ address: String, from namespace: String = "beyond") throws -> Bool {
    try host.run("ip", "netns", "exec", namespace, "ping", "-c1", "-W1", address).status == 0
  }

  @Test(arguments: [true, false])
  func framesPassBothWaysAndTheLinkComesBackAsItWas(isUp: Bool) throws {
    try ThrowawayHost.with { host in
      try makeLink(host, isUp: isUp)
      let before = (try state(host), try HostState(of: host))
      try host.write(Self.text, to: "t.stack")
      let up = try host.run("stack", "up", "t.stack", "--verify")
      #expect(up.status == 0, "\(up)")
      for address in ["10.0.9.1", "fd00:9::1"] {
        #expect(try host.eventually { try pings(host, address) }, "\(address)")
      }
      for address in ["10.0.9.2", "fd00:9::2"] { #expect(try pings(host, address, from: "t.r1"), "\(address)") }
      // The host keeps its address there, and answers to nobody.
      #expect(try state(host).contains("192.0.2.9/24"))
      #expect(try !pings(host, "192.0.2.9"))
      let neighbours = try host.succeed("ip", "-n", "beyond", "neigh", "show", "192.0.2.9")
      #expect(!neighbours.contains("lladdr"), "\(neighbours)")

      // A supervisor that is killed changes nothing, and neither does another `up`.
      try host.killSupervisors()
      #expect(try pings(host, "10.0.9.1"))
      try host.succeed("stack", "up", "t.stack")
      #expect(try pings(host, "10.0.9.1"))
      try host.write(Self.text.replacing("sleep, infinity", with: "sleep, 1d"), to: "t.stack")
      try host.succeed("stack", "up", "t.stack")
      #expect(try host.eventually { try pings(host, "10.0.9.1") })

      try host.succeed("stack", "link", "r1:host", "--down")
      #expect(try !pings(host, "10.0.9.1"))
      #expect(try host.run("stack", "verify", "t").status == 0)
      try host.succeed("stack", "link", "r1:host", "--up")
      #expect(try host.eventually { try pings(host, "10.0.9.1") && pings(host, "fd00:9::1") })
      let refused = try host.run("stack", "link", "r1:host", "--delay", "10ms")
      #expect(refused.status != 0 && refused.errors.contains("cannot be held back"), "\(refused)")
      #expect(try host.run("stack", "link").output.contains("r1"))

      try host.succeed("stack", "down", "t")
      #expect(try state(host) == before.0)
      try host.expectUnchanged(since: before.1)
      if isUp { #expect(try host.eventually { try pings(host, "192.0.2.9") }) }
    }
  }

  @Test func aCableThatLeavesTheFileGivesTheLinkBack() throws {
    try ThrowawayHost.with { host in
      try makeLink(host)
      let before = try state(host)
      try host.up(Self.text, named: "t")
      #expect(try state(host) != before)
      let process = try host.succeed("ip", "netns", "pids", "t.r1")
      try host.up(Self.text.split(separator: "links:")[0] + "", named: "t")
      #expect(try state(host) == before)
      #expect(try host.succeed("ip", "netns", "pids", "t.r1") == process)
      try host.up(Self.text, named: "t")
      #expect(try host.eventually { try pings(host, "10.0.9.1") })
    }
  }

  /// In mode passthru, the kernel forgets to lower its count for a macvlan interface that goes down or away, and to raise it for
  /// one that comes up.
  @Test(arguments: [
    (count: 0, changes: ["allmulticast on", "down", "allmulticast off", "up"]),
    (count: 1, changes: ["down", "allmulticast on", "up", "allmulticast off"]),
  ])
  func whatAServiceLeavesOfMulticastIsPutBack(_ count: Int, _ changes: [String]) throws {
    try ThrowawayHost.with { host in
      try makeLink(host)
      if count > 0 { try host.succeed("ip", "link", "set", "lab0", "allmulticast", "on") }
      let before = try state(host)
      func found() throws -> String { try host.succeed("sh", "-c", "ip -d -j link show lab0 | jq .[0].allmulti") }
      try host.up(Self.text, named: "t")
      let steps = changes.map { "ip link set eth0 \($0);" }.joined()
      let times = count == 0 ? 3 : 1
      try host.succeed("stack", "exec", "-T", "r1", "sh", "-c", "for i in $(seq \(times)); do \(steps) done")
      #expect(try found() == (count == 0 ? "3" : "0"))
      try host.succeed("stack", "down", "t")
      #expect(try found() == "\(count)")
      #expect(try state(host) == before)
    }
  }

  @Test func doctorSaysWhatIsWrongWithTheLink() throws {
    try ThrowawayHost.with { host in
      try makeLink(host)
      try host.up(Self.text, named: "t")
      func notices() throws -> [String] {
        try host.run("stack", "doctor").output.split(separator: "\n").map(String.init).filter {
          $0.contains("a cable of t/r1")
        }
      }
      #expect(try notices().isEmpty)
      let index = try host.succeed("cat", "/sys/class/net/lab0/ifindex")
      try host.write("[device]\nmanaged=true\n", to: "/run/NetworkManager/devices/\(index)")
      try host.write("ADMIN_STATE=configured\nOPER_STATE=routable\n", to: "/run/systemd/netif/links/\(index)")
      #expect(try notices().count == 2 && notices().allSatisfy { $0.contains("is configured by") })
      try host.succeed("rm", "-r", "/run/NetworkManager", "/run/systemd/netif")
      for (command, words) in [
        ("ip -n beyond link set far down", "has no carrier"), ("ip link set lab0 down", "is down"),
        ("ip link del lab0", "the host has no link lab0"),
      ] {
        try host.succeed("sh", "-c", command)
        #expect(try host.eventually { try notices().contains { $0.contains(words) } }, "\(words)")
      }
      try host.succeed("stack", "down", "t")
      #expect(try notices().isEmpty)
    }
  }

  /// A lab's segment reaches as far as the link does, for any hardware address and with VLAN tags.
  @Test func aSwitchJoinsSeveralServicesToIt() throws {
    try ThrowawayHost.with { host in
      try makeLink(host)
      try host.write(
        """
        name: t
        services:
          sw: {switch: true}
          h1: {command: [sleep, infinity], network_mode: none}
          h2: {command: [sleep, infinity], network_mode: none}
        links:
          - ends: {h1: 10.0.9.11/24, sw: null}
          - ends: {h2: 10.0.9.12/24, sw: null}
          - endpoints: ["sw:up0", "host:lab0"]
        """, to: "t.stack")
      let script = try host.succeed("stack", "up", "t.stack", "--dry-run")
      #expect(script.contains("type macvlan mode passthru") && script.contains("ip link set lab0 arp off up"))
      let outcome = try host.run("stack", "up", "t.stack", "--verify")
      #expect(outcome.status == 0, "\(outcome)")
      for address in ["10.0.9.11", "10.0.9.12"] {
        #expect(try host.eventually { try pings(host, address) }, "\(address)")
      }
      #expect(try pings(host, "10.0.9.2", from: "t.h1") && pings(host, "10.0.9.12", from: "t.h1"))
    }
  }

  @Test func aLinkThatTheHostNeedsIsRefused() throws {
    try ThrowawayHost.with { host in
      try makeLink(host)
      try host.succeed(
        "sh", "-ec",
        "ip link add br0 type bridge; ip link add member type veth peer name other; ip link set member master br0")
      for (name, words) in [
        ("nothing0", "the host has no link nothing0"), ("uplink", "it has the host's default route"),
        ("member", "it belongs to br0"),
      ] {
        try host.write(Self.text.replacing("lab0", with: name), to: "t.stack")
        let up = try host.run("stack", "up", "t.stack")
        #expect(up.status != 0 && up.errors.contains(words), "\(name): \(up)")
      }
      try host.up(Self.text, named: "t")
      try host.write(Self.text.replacing("name: t", with: "name: u"), to: "u.stack")
      let second = try host.run("stack", "up", "u.stack")
      #expect(second.status != 0 && second.errors.contains("it is an end of a cable of stack t"), "\(second)")
    }
  }
}
