import Testing

/// Addresses that a neighbour has on networks and links which the sender is not on: a shared network leads to none of them.
@Suite struct NeighbourAddressTests {
  private static func stack(_ tail: String = "") -> String {
    """
    name: x
    \(ThrowawayHost.recorder)
    services:
      evil:
        command: [sleep, infinity]
        cap_add: [NET_ADMIN]
        networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}
      db:
        <<: *recorder
        networks:
          front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}
          back: {ipv4_address: 10.98.0.4, ipv6_address: "fd00:98::4"}
      r:
        <<: *recorder
        forward: true
        networks:
          front: {ipv4_address: 10.99.0.5, ipv6_address: "fd00:99::5"}
          back: {ipv4_address: 10.98.0.5, ipv6_address: "fd00:98::5"}
      peer: {command: [sleep, infinity]}
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}
      back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}
    links: [{ends: {peer: [10.55.0.1/30, "fd00:55::1/64"], db: [10.55.0.2/30, "fd00:55::2/64"]}}]
    \(tail)
    """
  }

  private static let far = ["10.98.0.4", "fd00:98::4", "10.55.0.2", "fd00:55::2"]

  /// By frames to the neighbour's hardware address and to everybody's, and by routes with the neighbour as the next hop.
  private func attack(_ host: ThrowawayHost, _ word: String, on service: String, at far: [String]) throws -> String {
    let hardware = try host.hardwareAddress(of: service)
    let list = far.map { "\"\($0)\"" }.joined(separator: ", ")
    try host.forge(
      from: "evil",
      """
      for to in [\(list)]:
          own = "fd00:99::2" if ":" in to else "10.99.0.2"
          link.send(frame(hardware("\(hardware)"), me, datagram(own, to, "\(word)-frame-" + to)))
          link.send(frame(b"\\xff" * 6, me, datagram(own, to, "\(word)-broadcast-" + to)))
      """)
    let near = service == "db" ? "10.99.0.4" : "10.99.0.5"
    for to in far {
      let (hop, target) =
        to.contains(":") ? ("fd00:99::\(near.last ?? "4")", "UDP6:[\(to)]:5353") : (near, "UDP:\(to):5353")
      try host.succeed(
        "stack", "exec", "-T", "evil", "sh", "-c",
        "ip route replace \(to) via \(hop) && printf \(word)-route-\(to) | socat -u - \(target)")
    }
    return try host.book(of: service, at: near)
  }

  @Test(arguments: ["", "policies: [{deny: \"r -> db:9\"}]", "policies: [{allow: \"evil -> db:80\"}]"])
  func aSharedNetworkDoesNotLeadToAnotherOne(_ tail: String) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack(tail), named: "x")
      let book = try attack(host, "apart", on: "db", at: Self.far)
      #expect(!book.contains("apart"), "\(book)")
      // A router passes on what is beyond it, and that is where its own addresses are too.
      let router = try attack(host, "routed", on: "r", at: ["10.98.0.5", "fd00:98::5"])
      for address in ["10.98.0.5", "fd00:98::5"] {
        for way in ["frame", "route"] { #expect(router.contains("routed-\(way)-\(address)\n"), "\(way) \(router)") }
      }

      try host.killSupervisors()
      try host.succeed("nft", "insert", "rule", "bridge", "stack-x/ports", "passing", "accept")
      let open = try attack(host, "open", on: "db", at: Self.far)
      for address in Self.far {
        for way in ["frame", "broadcast", "route"] {
          #expect(open.contains("open-\(way)-\(address)\n"), "\(way): \(open)")
        }
      }
    }
  }

  @Test func aRuleOpensAllAddressesOfAService() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack("policies: [{allow: \"evil -> db:5353/udp\"}]"), named: "x")
      let book = try attack(host, "allowed", on: "db", at: Self.far)
      for address in Self.far { #expect(book.contains("allowed-frame-\(address)\n"), "\(address): \(book)") }
    }
  }
}
