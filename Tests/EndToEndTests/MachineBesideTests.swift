import Foundation
import Testing

/// A machine on the host's own network: what it reaches of a stack, and `stack verify --hostile --outside`, which attacks from there.
@Suite struct MachineBesideTests {
  private static let outside = "/run/throwaway/outside"

  private static let text = """
    name: x
    services:
      pub:
        command: [sh, -c, "mkdir /www; echo pub >/www/index.html; exec busybox httpd -f -p '[::]:80' -h /www"]
        networks: {front: {ipv4_address: 10.98.0.2, ipv6_address: "fd00:98::2"}}
        ports:
          - "127.0.0.1:8081:80"
          - {target: 80, published: "8082", from: [192.0.2.0/24]}
          - {target: 80, published: "8083", from: ["2001:db8:ffff::/48"]}
          - "8084:80"
      kept:
        command: [sh, -c, "mkdir /www; echo kept >/www/index.html; exec busybox httpd -f -p '[::]:80' -h /www"]
        networks: {back: {ipv4_address: 10.97.0.2, ipv6_address: "fd00:97::2"}}
        ports: ["8086:80"]
      remote: {command: [sleep, infinity], networks: [tunnel]}
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}
      back: {default: deny, enable_ipv6: true, ipam: {config: [{subnet: 10.97.0.0/24}, {subnet: "fd00:97::/64"}]}}
      tunnel: {driver: vxlan, id: 42, remote: 198.51.100.77, local: 198.51.100.2, subnet: 10.60.0.0/24}

    """

  private func withStack(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      try body(host)
    }
  }

  @Test func itReachesThePortsThatAreForItAlone() throws {
    try withStack { host in
      try host.succeed(
        "sh", "-c",
        """
        ip route add 10.96.0.0/14 via 198.51.100.2
        ip -6 route add fd00::/8 via 2001:db8:1::2
        sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.wan.route_localnet=1
        ip route add table 7 127.0.0.0/8 via 198.51.100.2
        ip rule add from 198.51.100.1 to 127.0.0.0/8 table 7 pref 0
        ip rule add from all lookup local pref 1
        ip rule del pref 0 from all lookup local
        """, from: .outside)
      func get(_ place: String) throws -> String? {
        let outcome = try host.run(
          "curl", "-g", "-s", "-f", "-m", "1", "--interface", place.contains("[") ? "wan" : "198.51.100.1",
          "http://\(place)/", from: .outside)
        return outcome.status == 0 ? outcome.output : nil
      }
      #expect(try host.eventually { try get("198.51.100.2:8084") == "pub" })
      #expect(try host.eventually { try get("[2001:db8:1::2]:8084") == "pub" })
      let unpublished = ["10.98.0.2:80", "10.97.0.2:80", "[fd00:98::2]:80", "[fd00:97::2]:80"]
      let others = [
        "198.51.100.2:8081", "127.0.0.1:8081", "198.51.100.2:8082", "[2001:db8:1::2]:8082", "198.51.100.2:8083",
        "[2001:db8:1::2]:8083", "198.51.100.2:8086", "[2001:db8:1::2]:8086",
      ]
      for place in unpublished + others { #expect(try get(place) == nil, "\(place)") }

      try host.killSupervisors()
      try host.succeed(
        "sh", "-c",
        """
        nft insert rule inet stack-x forward accept
        for port in 8081 8082 8083; do
          nft insert rule inet stack-x publish meta nfproto ipv4 tcp dport $port dnat ip to 10.98.0.2:80
          nft insert rule inet stack-x publish meta nfproto ipv6 tcp dport $port dnat ip6 to '[fd00:98::2]:80'
        done
        """)
      for place in unpublished + others where !place.hasPrefix("127.") {
        #expect(try get(place)?.isEmpty == false, "unguarded: \(place)")
      }
    }
  }

  private func report(_ host: ThrowawayHost, _ options: String...) throws -> (HostileReport, Outcome) {
    try host.verifyHostile(["--outside", Self.outside] + options)
  }

  private static let removals: [(script: String, kinds: Set<String>)] = [
    ("nft insert rule inet stack-x forward accept", ["elsewhere", "published"]),
    (
      "nft insert rule inet stack-x guard_incoming accept; nft insert rule inet stack-x forward accept; "
        + "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done",
      ["source", "unused", "elsewhere", "reply"]
    ),
    ("nft flush chain inet stack-x tunnels", ["tunnel"]),
    ("nft insert rule inet stack-x publish tcp dport 8082 dnat ip to 10.98.0.2:80", ["published"]),
  ]

  @Test func verifyAttacksFromThere() throws {
    try withStack { host in
      try host.killSupervisors()
      let (closed, outcome) = try report(host)
      #expect(outcome.status == 0 && closed.open == 0 && closed.unasked.isEmpty, "\(outcome)")
      #expect(Set(closed.kinds.map(\.kind)).isSuperset(of: ["published", "tunnel", "reply"]), "\(closed.kinds)")
      // Of the outside alone, with each service.
      let (alone, _) = try report(host, "--only", "internet")
      #expect(alone.open == 0 && alone.kinds.reduce(0) { $0 + $1.tried } > 20, "\(alone.kinds)")
      for removal in Self.removals {
        try host.succeed("sh", "-c", removal.script)
        let (open, outcome) = try report(host)
        #expect(
          outcome.status == 1 && open.openKinds(of: "the outside").isSuperset(of: removal.kinds),
          "\(removal.script): \(outcome)")
        let table = try host.run("stack", "verify", "--hostile", "--outside", Self.outside, "x")
        #expect(table.status == 1 && table.output.contains("open: the outside -> "), "\(table)")
        let junit = try host.run("stack", "verify", "--hostile", "--outside", Self.outside, "x", "--format", "junit")
        #expect(junit.status == 1 && junit.output.contains("open: the outside -&gt; "), "\(junit)")
        try host.succeed("stack", "up", "x.stack")
        try host.killSupervisors()
      }
      #expect(try report(host).0.open == 0)
    }
  }

  @Test func aPlaceThatIsNotBesideTheHostIsRefused() throws {
    try withStack { host in
      try host.succeed("ip", "netns", "add", "nowhere")
      let apart = try host.run("stack", "verify", "--hostile", "--outside", "nowhere", "x")
      #expect(apart.status == 2 && apart.errors.contains("has no address in a subnet of the host's"), "\(apart)")
      let missing = try host.run("stack", "verify", "--hostile", "--outside", "nobody", "x")
      #expect(missing.status == 2 && missing.errors.contains("/run/netns/nobody"), "\(missing)")
      let file = try host.run("stack", "verify", "--hostile", "--outside", "/etc/passwd", "x")
      #expect(file.status == 2 && file.errors.contains("/etc/passwd"), "\(file)")
      // The link of the machine is down: it cannot be asked.
      try host.succeed(
        "sh", "-c", "ip link set wan down && ip link set wan arp off && ip link set wan up", from: .outside)
      #expect(try host.run("stack", "verify", "--outside", "x", "x").errors.contains("--outside goes with --hostile"))
    }
  }
}
