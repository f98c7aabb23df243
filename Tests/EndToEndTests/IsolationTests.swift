import Foundation
import Testing

/// Ways around the rules about a service's own and others' addresses.
///
/// Each way is closed. It opens once its defence is removed by hand.
@Suite struct IsolationTests {
  private func attempt(_ host: ThrowawayHost, _ destinations: [String], _ word: String, from service: String = "evil")
    throws
  {
    let list = destinations.map { "\"\($0)\"" }.joined(separator: ", ")
    try host.succeed(
      "stack", "exec", "-T", service, "python3", "-",
      input: Data(
        """
        import socket
        for to in [\(list)]:
            one = socket.socket(10 if ":" in to else 2, 2)
            one.setsockopt(1, 6, 1)
            if ":" in to: one.setsockopt(41, 17, socket.if_nametoindex("eth0"))
            else: one.setsockopt(0, 32, socket.inet_aton("0.0.0.0") * 2 + (socket.if_nametoindex("eth0")).to_bytes(4, "little"))
            try: one.sendto(("\(word)-" + to).encode(), (to, 5353))
            except OSError: pass
        """.utf8))
  }

  private static let groups = ["10.99.0.255", "255.255.255.255", "224.0.0.1", "ff02::1"]

  private static func stack(_ tail: String) -> String {
    """
    name: x
    \(ThrowawayHost.recorder)
    services:
      evil: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
      db:
        <<: *recorder
        networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
        cap_add: [NET_ADMIN]
    \(tail)
    """
  }

  private static let open = """
    networks: {front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}}
    """
  private static let closed = """
    networks: {front: {default: deny, enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}}
    """

  @Test(arguments: [
    "\(open)\npolicies: [allow: \"host -> db\", deny: \"any -> db\"]",
    "\(closed)\npolicies: [allow: \"host -> db\"]",
  ])
  func whatIsForManyIsJudgedAtEachPort(_ tail: String) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack(tail), named: "x")
      try attempt(host, Self.groups, "denied")
      #expect(try !host.book(of: "db", at: "10.99.0.4").contains("denied"))
      try host.killSupervisors()
      try host.succeed(
        "nft", "insert", "rule", "bridge", "stack-x/ports", "by_port", "meta", "mark", "set", "0x04000000", "accept")
      try attempt(host, Self.groups, "open")
      let book = try host.book(of: "db", at: "10.99.0.4")
      for group in Self.groups { #expect(book.contains("open-\(group)"), "\(group): \(book)") }
    }
  }

  @Test func whatIsForManyPassesWhereARuleLetsIt() throws {
    try ThrowawayHost.with { host in
      try host.up(
        Self.stack("\(Self.closed)\npolicies: [allow: \"host -> db\", allow: \"evil -> db:5353/udp\"]"), named: "x")
      try attempt(host, Self.groups, "allowed")
      let book = try host.book(of: "db", at: "10.99.0.4")
      for group in Self.groups { #expect(book.contains("allowed-\(group)"), "\(group): \(book)") }
    }
  }

  /// By an address on a cable, by one that the service gave itself, and by a link-local one.
  @Test func aRuleIsAboutAllAddressesOfAService() throws {
    let text = """
      name: x
      \(ThrowawayHost.recorder)
      services:
        evil: {command: [sleep, infinity], forward: true, networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
        beside: {command: [sleep, infinity], networks: [front]}
        db:
          <<: *recorder
          forward: true
          networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
          cap_add: [NET_ADMIN]
      links: [{ends: {beside: [10.55.0.1/30, "fd00:55::1/64"], db: [10.55.0.2/30, "fd00:55::2/64"]}}]
      \(Self.open)
      policies: [RULE]
      """
    try ThrowawayHost.with { host in
      try host.up(
        text.replacingOccurrences(of: "RULE", with: "allow: \"host -> db\", deny: \"any -> db\""), named: "x")
      let local = try host.succeed(
        "sh", "-c", "stack exec -T db ip -o -6 addr show eth0 scope link | grep -o 'fe80[^/]*'")
      try host.succeed("stack", "exec", "-T", "db", "ip", "addr", "add", "10.77.0.9/32", "dev", "eth0")
      let db = try host.hardwareAddress(of: "db")
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "evil",
          """
          for to in ("10.99.0.4", "10.55.0.2", "10.77.0.9"):
              link.send(frame(hardware("\(db)"), me, datagram("10.99.0.2", to, "\(word)-" + to)))
          for to in ("fd00:99::4", "fd00:55::2"):
              link.send(frame(hardware("\(db)"), me, datagram("fd00:99::2", to, "\(word)-" + to)))
          """)
        try attempt(host, [local], word)
        return try host.book(of: "db", at: "10.99.0.4")
      }
      let book = try attack("denied")
      // A router has whatever is sent on by way of it: an address that it gave itself is not told apart from one behind it.
      for address in ["10.99.0.4", "10.55.0.2", "fd00:99::4", "fd00:55::2", local] {
        #expect(!book.contains("denied-\(address)\n"), "\(address): \(book)")
      }
      try host.up(
        text.replacingOccurrences(of: "RULE", with: "allow: \"host -> db\", allow: \"evil -> db\""), named: "x")
      let open = try attack("allowed")
      for address in ["10.99.0.4", "10.55.0.2", "fd00:99::4", "fd00:55::2", local] {
        #expect(open.contains("allowed-\(address)\n"), "\(address): \(open)")
      }
    }
  }

  @Test func anAddressThatAServiceGaveItselfIsItsOwn() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack("\(Self.open)\npolicies: [allow: \"host -> db\", deny: \"any -> db\"]"), named: "x")
      try host.succeed("stack", "exec", "-T", "db", "ip", "addr", "add", "10.77.0.9/32", "dev", "eth0")
      let db = try host.hardwareAddress(of: "db")
      try host.forge(
        from: "evil", "link.send(frame(hardware(\"\(db)\"), me, datagram(\"10.99.0.2\", \"10.77.0.9\", \"past\")))")
      #expect(try !host.book(of: "db", at: "10.99.0.4").contains("past"))
    }
  }

  @Test func aRuleBetweenTwoThatALinkJoinsIsRefused() throws {
    try ThrowawayHost.with { host in
      try host.write(
        """
        name: x
        services: {a: {command: [sleep, infinity]}, c: {command: [sleep, infinity]}}
        links: [{ends: {a: 10.55.0.1/30, c: 10.55.0.2/30}}]
        policies: [deny: "c -> a"]
        """, to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status != 0)
      #expect(outcome.errors.contains("cannot be kept: a link joins c and a"), "\(outcome)")
    }
  }

  @Test func anInternalNetworkReachesNothingOfTheHost() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(
        stack: "x", ["inner", "own", "front"],
        extra: [
          "inner": ["networks: {in: {ipv4_address: 10.99.0.2}}"], "own": ["networks: [in]", "ports: [\"8081:80\"]"],
          "front": ["networks: [out]", "ports: [\"8080:80\"]"],
        ], tail: "networks: {in: {internal: true, subnet: 10.99.0.0/24}, out: {subnet: 10.98.0.0/24}}\nPOLICY")
      try host.up(text.replacingOccurrences(of: "POLICY", with: ""), named: "x")
      try host.succeed("sh", "-c", "mkdir -p h && echo host >h/index.html && busybox httpd -p 0.0.0.0:2222 -h h")
      let places = ["10.99.0.1:2222", "10.99.0.1:8080", "10.99.0.1:8081"]
      for place in places { #expect(try host.get(place, inside: "inner") == nil, "\(place)") }
      #expect(try host.get("own", inside: "inner") == "x own", "by name, beside it")
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "x own")
      #expect(try host.get("localhost:8080") == "x front")
      // The way to open it.
      try host.up(
        text.replacingOccurrences(
          of: "POLICY", with: "policies: [allow: \"inner -> host:2222\", allow: \"inner -> front:80\"]"),
        named: "x")
      #expect(try host.get("10.99.0.1:2222", inside: "inner") == "host")
      #expect(try host.get("10.99.0.1:8080", inside: "inner") == "x front")
      #expect(try host.get("10.99.0.1:8081", inside: "inner") == nil)
      try host.up(text.replacingOccurrences(of: "POLICY", with: ""), named: "x")
      try host.killSupervisors()
      try host.succeed(
        "sh", "-c", "nft insert rule inet stack-x input accept; nft insert rule inet stack-x forward accept")
      for (place, answer) in zip(places, ["host", "x front", "x own"]) {
        #expect(try host.get(place, inside: "inner") == answer, "unguarded: \(place)")
      }
    }
  }

  @Test func aTunnelTakesInWhatItsOtherHostSendsAlone() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: far
        \(ThrowawayHost.recorder)
        services:
          db:
            <<: *recorder
            networks: {far: {ipv4_address: 10.60.0.4}}
        networks: {far: {driver: vxlan, id: 42, remote: REMOTE, local: 198.51.100.2, subnet: 10.60.0.0/24}}
        """
      try host.up(text.replacingOccurrences(of: "REMOTE", with: "198.51.100.77"), named: "far")
      try host.up(
        "name: evil\nservices: {evil: {command: [sleep, infinity], networks: {n: {ipv4_address: 10.96.0.2}}}}\n"
          + "networks: {n: {subnet: 10.96.0.0/24}}\n", named: "evil")
      let db = try host.hardwareAddress(of: "far/db")
      func program(_ to: String, _ word: String) -> String {
        """
        inner = frame(hardware("\(db)"), hardware("02:66:66:66:66:66"), datagram("10.60.0.200", "10.60.0.4", "\(word)"))
        taken = frame(hardware("\(db)"), hardware("\(db)"), datagram("10.60.0.4", "10.60.0.4", "\(word)-taken"))
        one = socket.socket(2, 2)
        for octets in (inner, taken): one.sendto(struct.pack("!II", 0x08000000, 42 << 8) + octets, ("\(to)", 4789))
        """
      }
      func attack(_ word: String) throws -> String {
        try host.forge(from: "evil/evil", program("10.96.0.1", "\(word)-service"))
        try host.forgeOutside(program("198.51.100.2", "\(word)-outside"))
        return try host.book(of: "far/db", at: "10.60.0.4")
      }
      let book = try attack("stranger")
      #expect(!book.contains("stranger"), "\(book)")
      try host.killSupervisors()
      try host.succeed("nft", "insert", "rule", "inet", "stack-far", "tunnels", "accept")
      let open = try attack("open")
      #expect(open.contains("open-service\n") && open.contains("open-outside\n") && !open.contains("taken"), "\(open)")

      try host.up(text.replacingOccurrences(of: "REMOTE", with: "198.51.100.1"), named: "far")
      let friend = try attack("friend")
      #expect(
        friend.contains("friend-outside\n") && !friend.contains("taken") && !friend.contains("friend-service"),
        "\(friend)")
      #expect(try !host.succeed("bridge", "fdb", "show").contains("dst 198.51.100.77"))
    }
  }

  @Test func theGuestsOfANetworkAreGuardedAsItsOwner() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack(Self.open), named: "x")
      try host.up(
        "name: g\nservices: {guest: {command: [sleep, infinity], networks: {f: {ipv4_address: 10.99.0.66}}}}\n"
          + "networks: {f: {external: true, name: x/front}}\n", named: "g")
      let db = try host.hardwareAddress(of: "x/db")
      let program = """
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.66", "10.99.0.4", "honest")))
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.2", "10.99.0.4", "as-evil")))
        """
      try host.forge(from: "g/guest", program)
      let book = try host.book(of: "x/db", at: "10.99.0.4")
      #expect(book.contains("10.99.0.66 honest") && !book.contains("as-evil"), "\(book)")
      try host.takeGuardsAway(of: "g")
      try host.forge(from: "g/guest", program)
      #expect(try host.book(of: "x/db", at: "10.99.0.4").contains("10.99.0.2 as-evil"))
    }
  }

  /// The address and the hardware address of a pair of VRRP routers, an address by DHCP, and a service that bridges.
  @Test func theFileLetsAServiceClaimMore() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: x
        \(ThrowawayHost.recorder)
        services:
          r1: {command: [sleep, infinity], cap_add: [NET_ADMIN], networks: {n: {ipv4_address: 10.99.0.2, claims: [10.99.0.100, "00:00:5e:00:01:0a"]}}}
          r2: {command: [sleep, infinity], networks: {n: {ipv4_address: 10.99.0.3, claims: [10.99.0.100, "00:00:5e:00:01:0a"]}}}
          lease: {command: [sleep, infinity], networks: {n: {claims: [dhcp, 10.99.0.128/25]}}}
          bridge: {command: [sleep, infinity], networks: {n: {claims: [any]}}}
          db:
            <<: *recorder
            networks: {n: {ipv4_address: 10.99.0.4}}
        networks: {n: {subnet: 10.99.0.0/24}}
        """
      let said = try host.up(text, named: "x") + (try host.run("stack", "up", "x.stack").errors)
      #expect(said.contains("r1 may also send on network n as 10.99.0.100, 00:00:5e:00:01:0a"), "\(said)")
      let db = try host.hardwareAddress(of: "db")
      let virtual = "hardware(\"00:00:5e:00:01:0a\")"
      for router in ["r1", "r2"] {
        try host.forge(
          from: router,
          """
          link.send(frame(b"\\xff" * 6, \(virtual), arp(1, \(virtual), "10.99.0.100", bytes(6), "10.99.0.100"), 0x0806))
          link.send(frame(hardware("\(db)"), \(virtual), datagram("10.99.0.100", "10.99.0.4", "virtual-\(router)")))
          link.send(frame(hardware("\(db)"), me, datagram("10.99.0.4", "10.99.0.4", "neighbour-\(router)")))
          link.send(frame(hardware("\(db)"), me, datagram("10.99.0.101", "10.99.0.4", "more-\(router)")))
          """)
        let place = try host.succeed("sh", "-c", "bridge fdb show br x-n | grep 00:00:5e:00:01:0a")
        #expect(place.contains(router), "the bridge has to see who has it: \(place)")
      }
      try host.forge(
        from: "lease",
        """
        link.send(frame(b"\\xff" * 6, me, datagram("0.0.0.0", "255.255.255.255", "request", port=67, sender=68)))
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.200", "10.99.0.4", "leased")))
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.3", "10.99.0.4", "lease-as-r2")))
        """)
      try host.forge(
        from: "bridge",
        """
        other = hardware("02:00:00:00:00:99")
        link.send(frame(hardware("\(db)"), other, datagram("10.99.0.99", "10.99.0.4", "bridged")))
        link.send(frame(hardware("\(db)"), other, datagram("10.99.0.2", "10.99.0.4", "bridge-as-r1")))
        link.send(frame(hardware("\(db)"), hardware("\(db)"), datagram("10.99.0.99", "10.99.0.4", "bridge-hardware")))
        """)
      let book = try host.book(of: "db", at: "10.99.0.4")
      for word in ["virtual-r1", "virtual-r2", "leased", "bridged"] {
        #expect(book.contains(" \(word)\n"), "\(word): \(book)")
      }
      for word in ["neighbour", "more", "lease-as", "bridge-as", "bridge-hardware"] {
        #expect(!book.contains(word), "\(word): \(book)")
      }
      // Without the claim, and without anything made anew.
      let pid: Int = try host.field("PID", of: "r1")
      try host.up(text.replacingOccurrences(of: ", claims: [10.99.0.100, \"00:00:5e:00:01:0a\"]", with: ""), named: "x")
      #expect(try host.field("PID", of: "r1") == pid)
      try host.forge(
        from: "r1",
        "link.send(frame(hardware(\"\(db)\"), \(virtual), datagram(\"10.99.0.100\", \"10.99.0.4\", \"virtual-later\")))"
      )
      #expect(try !host.book(of: "db", at: "10.99.0.4").contains("virtual-later"))
      for wrong in ["10.99.0.4", "10.99.0.1", "\"02:73:0a:63:00:04\""] {
        try host.write(text.replacingOccurrences(of: "claims: [any]", with: "claims: [\(wrong)]"), to: "x.stack")
        let outcome = try host.run("stack", "up", "x.stack")
        #expect(outcome.status != 0 && outcome.errors.contains("cannot claim"), "\(wrong): \(outcome)")
      }
    }
  }

  /// A router sends on what it routes, and is still no neighbour.
  @Test func aRouterSendsWhatItRoutes() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        \(ThrowawayHost.recorder)
        services:
          leaf: {command: [sleep, infinity], routes: ["10.99.0.0/24 via r"]}
          r: {command: [sleep, infinity], forward: true, networks: {front: {ipv4_address: 10.99.0.2}}}
          web: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.3}}}
          db:
            <<: *recorder
            networks: {front: {ipv4_address: 10.99.0.4}}
            routes: ["10.55.0.0/30 via r"]
        links: [{ends: {leaf: 10.55.0.1/30, r: 10.55.0.2/30}}]
        networks: {front: {subnet: 10.99.0.0/24}}
        """, named: "x")
      try host.succeed("stack", "exec", "-T", "leaf", "sh", "-c", "printf routed | socat -u - UDP:10.99.0.4:5353")
      let (web, db) = (try host.hardwareAddress(of: "web"), try host.hardwareAddress(of: "db"))
      try host.forge(
        from: "r",
        """
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.3", "10.99.0.4", "as-web")))
        link.send(frame(hardware("\(db)"), me, datagram("10.99.0.77", "10.99.0.4", "nobodys")))
        link.send(frame(hardware("\(db)"), me, datagram("192.0.2.7", "10.99.0.4", "elsewhere")))
        link.send(frame(hardware("\(db)"), hardware("\(web)"), datagram("10.55.0.1", "10.99.0.4", "webs-hardware")))
        """)
      let book = try host.book(of: "db", at: "10.99.0.4")
      #expect(book.contains("10.55.0.1 routed"), "\(book)")
      for word in ["as-web", "nobodys", "elsewhere", "webs-hardware"] {
        #expect(!book.contains(word), "\(word): \(book)")
      }
    }
  }
}
