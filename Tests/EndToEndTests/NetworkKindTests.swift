import Foundation
import Testing

/// Networks that are more than a stack's own bridge, with ip(8), ping and curl at the other end.
@Suite struct NetworkKindTests {
  private static let sleeper = "command: [sleep, infinity]"

  @Test func anotherStacksNetworkIsJoined() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let orphan = ThrowawayHost.servers(
        stack: "api", ["guest", "apart"],
        extra: ["guest": ["networks: [shared]", "ports: [\"8090:80\"]"], "apart": ["networks: [own]"]],
        tail: "networks:\n  own: {}\n  shared: {external: true, name: web_front}")
      try host.write(orphan, to: "api.stack")
      let refused = try host.run("stack", "up", "api.stack")
      #expect(refused.status == 1)
      #expect(refused.errors.contains("there is no network web_front: no stack that is up has it"), "\(refused)")

      try host.up(
        ThrowawayHost.servers(
          stack: "web", ["www", "secret"], extra: ["www": ["networks: [front]"], "secret": ["networks: [back]"]],
          tail: "networks: {front: {}, back: {}}"), named: "web")
      let alone = try HostState(of: host)
      try host.succeed("stack", "up", "api.stack")
      #expect(try host.get("www", inside: "guest") == "web www", "by name")
      #expect(try host.get(host.ipAddress(of: "guest"), inside: "www") == "api guest", "and back, by address")
      #expect(try host.get(host.ipAddress(of: "secret"), inside: "guest") == nil)
      #expect(try host.get(host.ipAddress(of: "guest"), inside: "apart") == nil)
      #expect(try host.get("\(ThrowawayHost.address):8090", from: .outside) == "api guest", "published from there")
      #expect(try host.get("\(ThrowawayHost.address):8090", inside: "www") == "api guest")
      #expect(try host.run("stack", "exec", "guest", "ping", "-c1", "-W2", ThrowawayHost.internetAddress).status == 0)

      let held = try host.run("stack", "down", "web")
      #expect(held.status == 1)
      #expect(held.errors.contains("stack api is on its network") && held.errors.contains("stack down api"), "\(held)")
      #expect(try host.get("www", inside: "guest") == "web www", "nothing was taken down")
      try host.succeed("stack", "down", "api")
      try host.expectUnchanged(since: alone)
      try host.succeed("stack", "down", "web")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aMacvlanServiceIsAMachineOnTheHostsNetwork() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        ThrowawayHost.servers(
          stack: "m", ["a"], extra: ["a": ["networks: [lan]"]],
          tail: """
            networks:
              lan: {driver: macvlan, parent: uplink, subnet: 198.51.100.0/24, gateway: 198.51.100.1, ip_range: 198.51.100.48/28}
            """), named: "m")
      #expect(try host.ipAddress(of: "a") == "198.51.100.48")
      #expect(try host.inside("a", "ip -j -d link show eth0 | jq -r '.[0].linkinfo.info_kind'") == "macvlan")
      #expect(try host.get("198.51.100.48", from: .outside) == "m a", "at its own address")
      #expect(try host.run("stack", "exec", "a", "ping", "-c1", "-W2", ThrowawayHost.internetAddress).status == 0)
      try host.killSupervisors()
      try host.succeed("rm", "/run/stack/m/stack.json")
      try host.succeed("stack", "down", "m")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aVXLANReachesAnotherHost() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      // The other host: a bridge with a VXLAN in it, made by hand.
      let other = """
        ip link add far0 type vxlan id 42 remote \(ThrowawayHost.address) local \(ThrowawayHost.outsideAddress) dstport 4789
        ip addr add 10.80.0.200/24 dev far0; ip link set far0 mtu 1450 up
        """
      try host.succeed("sh", "-c", other, from: .outside)
      try host.up(
        ThrowawayHost.servers(
          stack: "v", ["a", "b"], extra: ["a": ["networks: [far]"], "b": ["networks: [far]"]],
          tail: """
            networks:
              far: {driver: vxlan, id: 42, remote: \(ThrowawayHost.outsideAddress), subnet: 10.80.0.0/24}
            """), named: "v")
      let address = try host.ipAddress(of: "a")
      #expect(try host.get(address, from: .outside) == "v a", "the other host reaches a service")
      #expect(try host.run("stack", "exec", "b", "ping", "-c1", "-W2", "10.80.0.200").status == 0, "and is reached")
      #expect(
        try host.run("stack", "exec", "b", "ping", "-c1", "-W2", "-M", "do", "-s", "1422", "10.80.0.200").status == 0)
      let kinds = try host.succeed(
        "sh", "-c", "ip -j -d link | jq -r '.[] | select(.linkinfo.info_kind == \"vxlan\") | .ifalias'")
      #expect(kinds == "stack:v//far")
      try host.killSupervisors()
      try host.succeed("rm", "/run/stack/v/stack.json")
      try host.succeed("stack", "down", "v")
      try host.expectUnchanged(since: before)
    }
  }

  /// The last part of case 18 of the network cases.
  @Test func vlansStayApartUntilARouterJoinsThem() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(forward: Bool) -> String {
        """
        name: t
        services:
          a10: {\(Self.sleeper), networks: {lab: {vlan: 10}}}
          b10: {\(Self.sleeper), networks: {lab: {vlan: 10}}}
          c20: {\(Self.sleeper), networks: {lab: {vlan: 20}}}
          same: {\(Self.sleeper), networks: {lab: {vlan: 30, ipv4_address: 10.1.0.30}}}
          plain: {\(Self.sleeper), networks: {lab: {ipv4_address: 10.1.0.40}}}
          r: {\(Self.sleeper), networks: {lab: {vlan: {trunk: {10: 10.1.10.1, 20: 10.1.20.1}}}}, forward: \(forward)}
        networks:
          lab:
            subnet: 10.1.0.0/24
            vlans:
              10: {subnet: 10.1.10.0/24, gateway: 10.1.10.1}
              20: {subnet: 10.1.20.0/24, gateway: 10.1.20.1}
              30:
        """
      }
      // Where the kernel has no VLANs on bridges, that is said in a line, and all the rest holds the same.
      let trial = "ip link add trial type bridge vlan_filtering 1 && ip link del trial"
      let hasVLANs = try host.run("sh", "-c", trial).status == 0
      try host.write(file(forward: false), to: "t.stack")
      let up = try host.run("stack", "up", "t.stack")
      #expect(up.status == 0, "\(up)")
      let isSaid = up.errors.contains("no VLANs on bridges")
      #expect(isSaid != hasVLANs && up.errors.contains("each VLAN of lab has a bridge of its own") != hasVLANs, "\(up)")
      func ping(_ from: String, _ to: String) throws -> Outcome {
        try host.run("stack", "exec", from, "ping", "-c1", "-W1", host.ipAddress(of: to))
      }
      #expect(try ping("a10", "b10").output.contains("ttl=64"), "one VLAN")
      #expect(try ping("a10", "c20").status != 0, "another one")
      #expect(try ping("same", "plain").status != 0, "one subnet, and still apart")
      #expect(try host.run("ping", "-c1", "-W1", "10.1.0.30").status != 0, "the host is in none of them")
      #expect(try host.run("ping", "-c1", "-W1", "10.1.0.40").status == 0)
      #expect(
        try host.run("stack", "exec", "r", "ping", "-c1", "-W2", "10.1.0.1").status == 0, "the trunk's own frames")
      try host.up(file(forward: true), named: "t")
      let routed = try ping("a10", "c20")
      #expect(routed.output.contains("ttl=63"), "by way of the router: \(routed)")
      #expect(try ping("same", "plain").status != 0)
      #expect(
        try host.inside("r", "ip -j addr show eth0.20 | jq -r '.[0].addr_info[0].local'") == "10.1.20.1")
      #expect(try host.run("stack", "verify", "t").status == 0)

      // What befalls packets befalls those of each VLAN.
      try host.succeed("stack", "link", "r:lab", "--down")
      #expect(try ping("a10", "c20").status != 0)
      #expect(try ping("a10", "b10").status == 0)
      try host.succeed("stack", "link", "r:lab", "--up")
      #expect(try ping("a10", "c20").status == 0)
      try host.succeed("stack", "partition", "a10,r", "b10,c20")
      #expect(try ping("a10", "b10").status != 0)
      #expect(try ping("a10", "r").status == 0)
      try host.succeed("stack", "heal")
      #expect(try ping("a10", "b10").status == 0)

      try host.killSupervisors()
      try host.succeed("rm", "/run/stack/t/stack.json")
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  /// A host that is a machine like others finds no way in, and nobody in a VLAN finds one into the host, whatever he sends.
  @Test func theHostIsInNoVLAN() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services:
          a: {\(Self.sleeper), networks: {lab: {vlan: 10}}, cap_add: [NET_ADMIN]}
          b: {\(Self.sleeper), networks: [lab]}
        networks: {lab: {subnet: 10.1.0.0/24}}
        """, named: "t")
      // No answer would come back in any case: what counts is whether anything arrives.
      func arrived() throws -> [Int] {
        let count =
          "awk '/^Icmp:/ && n++ { print $i; exit } /^Icmp:/ { for (i = 1; $i != \"InEchos\"; i++); }' /proc/net/snmp"
        return try [host.succeed("sh", "-c", count), host.succeed("sh", "-c", count, from: .outside)].compactMap {
          Int($0)
        }
      }
      func send(from service: String) throws {
        for address in ["10.1.0.1", ThrowawayHost.address, ThrowawayHost.internetAddress] {
          _ = try host.run("stack", "exec", service, "ping", "-c1", "-W1", address)
        }
      }
      let first = try arrived()
      try send(from: "b")
      let second = try arrived()
      #expect(second == [first[0] + 2, first[1] + 1])
      try host.succeed("stack", "exec", "a", "ip", "route", "replace", "default", "via", "10.1.0.1")
      try send(from: "a")
      #expect(try arrived() == second, "by asking who has the address")
      // As if it had been told who has it: by the hardware addresses of all bridges.
      let macs = try host.succeed("sh", "-c", "ip -j link show type bridge | jq -r '.[].address'").split(
        separator: "\n")
      #expect(!macs.isEmpty)
      for mac in macs {
        try host.succeed(
          "stack", "exec", "a", "ip", "neigh", "replace", "10.1.0.1", "lladdr", String(mac), "dev", "eth0")
        try send(from: "a")
        #expect(try arrived() == second, "by \(mac)")
      }
    }
  }
}
