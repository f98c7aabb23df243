import Foundation
import Testing

/// Networks that the host has no address in, in several copies of one lab, seen with ip(8), ping, getent and verify.
@Suite struct WithoutHostTests {
  /// The uplink's own subnet, so that a packet that got out would be answered.
  private static func file(_ name: String) -> String {
    """
    name: \(name)
    names: stack
    services:
      gw: {command: [sleep, infinity], forward: true, networks: {lan: {ipv4_address: 198.51.100.1}, back: {}}}
      a: {command: [busybox, httpd, -f, -p, "80", -h, /usr/share], expose: ["80"], cap_add: [NET_ADMIN, NET_RAW], networks: {lan: {ipv4_address: 198.51.100.50}}}
      b: {command: [busybox, httpd, -f, -p, "80", -h, /usr/share], expose: ["80"], networks: [back], routes: ["lan via gw"]}
    networks:
      lan: {subnet: 198.51.100.0/24, gateway: 198.51.100.1, host: false}
      back: {subnet: 10.71.0.0/31, host: false}
    expect:
      - allow: a -> b:80
      - allow: b -> a:80
      - deny:  host -> a
    """
  }

  private func pings(_ host: ThrowawayHost, _ namespace: String, _ target: String) throws -> Bool {
    try host.start(["ip", "netns", "exec", namespace, "ping", "-c1", "-W1", target]).wait(limit: .seconds(60)).status
      == 0
  }

  /// As on every host with Docker, whose bridges show the host what they pass on.
  @Test(arguments: ["0", "1"]) func rulesHoldBesideThem(tracking: String) throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "echo \(tracking) > /proc/sys/net/bridge/bridge-nf-call-iptables")
      try host.write(
        """
        name: t
        services:
          gw: {command: [busybox, httpd, -f, -p, "80"], expose: ["80"], networks: {lan: {}, front: {}}}
          a: {command: [busybox, httpd, -f, -p, "80"], expose: ["80"], networks: [lan]}
          b: {command: [busybox, httpd, -f, -p, "80"], expose: ["80"], networks: [lan]}
          web: {command: [busybox, httpd, -f, -p, "80"], expose: ["80"], networks: [front]}
          db: {command: [busybox, httpd, -f, -p, "80"], expose: ["80"], networks: [front]}
        networks: {lan: {subnet: 10.9.0.0/24, host: false}, front: {default: deny}}
        policies:
          - allow: web -> db:80
          - allow: gw -> web:80
        expect:
          - allow: a -> b:80
          - allow: web -> db:80
          - deny: web -> db:81
          - deny: db -> web:80
        """, to: "t.stack")
      let up = try host.run("stack", "up", "t.stack", "--verify")
      #expect(up.status == 0 && up.output.contains("0 wrong of"), "\(up)")
    }
  }

  @Test func copiesOfALabStandBesideEachOther() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      for name in ["one", "two"] { try host.up(Self.file(name), named: name) }
      for name in ["one", "two"] {
        let verdict = try host.run("stack", "verify", name)
        #expect(verdict.status == 0, "\(verdict.output)")
        #expect(try pings(host, "\(name).a", "198.51.100.1"), "the router has .1")
        #expect(try pings(host, "\(name).a", "10.71.0.1") || pings(host, "\(name).a", "10.71.0.0"))
        // Names are in /etc/hosts: across the router too.
        #expect(try host.run("stack", "exec", "\(name)/a", "getent", "hosts", "b").status == 0)
        #expect(try host.run("stack", "exec", "\(name)/a", "getent", "hosts", "nowhere.example").status != 0)
        #expect(try host.succeed("sh", "-c", "ip -j addr show \(name)-lan | jq '.[0].addr_info | length'") == "0")
      }
      // The host's own network is where it was.
      #expect(try host.run("ping", "-c1", "-W2", ThrowawayHost.outsideAddress).status == 0)
      #expect(try host.succeed("ip", "route", "get", "198.51.100.9").contains("uplink"))
      // Nobody gets out by the bridge's hardware address, whatever routes are made inside.
      let bridge = try host.succeed("cat", "/sys/class/net/one-lan/address")
      try host.succeed("ip", "-n", "one.a", "neigh", "replace", "198.51.100.77", "lladdr", bridge, "dev", "eth0")
      try host.succeed("ip", "-n", "one.a", "route", "add", "203.0.113.0/24", "via", "198.51.100.77")
      #expect(try !pings(host, "one.a", ThrowawayHost.internetAddress))
      #expect(try !pings(host, "one.a", "198.51.100.77"))

      try host.succeed("stack", "down", "one")
      #expect(try host.run("stack", "verify", "two").status == 0)
      try host.succeed("stack", "down", "two")
      try host.expectUnchanged(since: before)
    }
  }

  /// A change between the two kinds makes the network anew, and an unchanged `up` does nothing.
  @Test func theHostComesAndGoes() throws {
    try ThrowawayHost.with { host in
      func file(_ isThere: Bool) -> String {
        """
        name: t
        services:
          a: {command: [sleep, infinity], networks: [n]}
          b: {command: [sleep, infinity], networks: [n]}
        networks: {n: {subnet: 10.72.0.0/24, host: \(isThere), enable_ipv6: true}}
        """
      }
      try host.up(file(false), named: "t")
      #expect(try host.succeed("stack", "up", "t.stack").contains("a: ") == false)
      #expect(try pings(host, "t.a", host.ipAddress(of: "b")))
      #expect(try host.run("ping", "-c1", "-W1", host.ipAddress(of: "b")).status != 0)
      let six = try host.inside("b", "ip -6 -j addr show eth0 scope global | jq -r '.[0].addr_info[0].local'")
      #expect(try pings(host, "t.a", six))
      try host.up(file(true), named: "t")
      #expect(try host.run("ping", "-c1", "-W2", host.ipAddress(of: "b")).status == 0)
      try host.up(file(false), named: "t")
      #expect(try host.run("ping", "-c1", "-W1", host.ipAddress(of: "b")).status != 0)
    }
  }
}
