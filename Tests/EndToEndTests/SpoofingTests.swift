import Foundation
import Testing

/// Forged sources, tried with frames that no kernel sends.
///
/// Each attack fails. It succeeds once its defence is removed by hand.
@Suite struct SpoofingTests {
  private static let stack = """
    name: x
    \(ThrowawayHost.recorder)
    services:
      evil: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}, side: {}}}
      web: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.3, ipv6_address: "fd00:99::3"}}}
    \(ThrowawayHost.recorders)
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}
      back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}
      side: {subnet: 10.97.0.0/24}

    """

  private func withStack(_ tail: String = "", _ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack + tail, named: "x")
      try body(host)
    }
  }

  @Test func aServiceSendsFromItsOwnAddressesAlone() throws {
    try withStack { (host) throws in
      let (web, db) = (try host.hardwareAddress(of: "web"), try host.hardwareAddress(of: "db"))
      let program = """
        to, web = hardware("\(db)"), hardware("\(web)")
        link.send(frame(to, me, datagram("10.99.0.2", "10.99.0.4", "honest")))
        link.send(frame(to, web, datagram("10.99.0.3", "10.99.0.4", "as-web")))
        link.send(frame(to, me, datagram("10.99.0.3", "10.99.0.4", "webs-address")))
        link.send(frame(to, web, datagram("10.99.0.2", "10.99.0.4", "webs-hardware")))
        link.send(frame(to, me, datagram("10.99.0.77", "10.99.0.4", "nobodys")))
        link.send(frame(to, me, datagram("10.99.0.1", "10.99.0.4", "the-hosts")))
        link.send(frame(to, me, datagram("0.0.0.0", "10.99.0.4", "no-address")))
        link.send(frame(to, me, datagram("fd00:99::3", "fd00:99::4", "as-web-6")))
        link.send(frame(to, me, datagram("fd00:99::77", "fd00:99::4", "nobodys-6")))
        link.send(frame(to, me, datagram("fe80::77", "fd00:99::4", "of-the-link-6")))
        link.send(frame(to, me, datagram("10.99.0.2", "10.99.0.4", "no-vlan"), tags=[0]))
        link.send(frame(to, me, datagram("10.99.0.2", "10.99.0.4", "priority"), tags=[0x2000]))
        link.send(frame(b"\\xff" * 6, me, datagram("10.99.0.3", "10.99.0.4", "to-all")))
        """
      let forged = [
        "as-web", "webs-address", "webs-hardware", "nobodys", "the-hosts", "as-web-6", "nobodys-6", "no-vlan",
        "priority",
        "to-all",
      ]
      try host.forge(from: "evil", program)
      let book = try host.book(of: "db", at: "10.99.0.4")
      #expect(book.contains("10.99.0.2 honest"))
      for word in forged + ["no-address", "of-the-link-6"] { #expect(!book.contains(" \(word)\n"), "\(word)") }
      // Nor while there is nothing in nftables at all.
      try host.killSupervisors()
      try host.succeed("nft", "flush", "ruleset")
      try host.forge(from: "evil", program)
      try host.succeed("stack", "up", "x.stack")
      let later = try host.book(of: "db", at: "10.99.0.4")
      for word in forged { #expect(!later.contains(" \(word)\n"), "without tables: \(word)") }

      try host.takeGuardsAway(of: "x")
      try host.forge(from: "evil", program)
      let open = try host.book(of: "db", at: "10.99.0.4")
      for word in forged { #expect(open.contains(" \(word)\n"), "unguarded: \(word)") }
    }
  }

  @Test func aServiceClaimsItsOwnAddressesAlone() throws {
    try withStack { (host) throws in
      let (web, db) = (try host.hardwareAddress(of: "web"), try host.hardwareAddress(of: "db"))
      let (evil, link) = (try host.hardwareAddress(of: "evil"), "eth0")
      let program = """
        to, web = hardware("\(db)"), hardware("\(web)")
        for octets in (arp(2, me, "10.99.0.3", to, "10.99.0.4"), arp(1, me, "10.99.0.3", bytes(6), "10.99.0.4")):
            link.send(frame(to, me, octets, 0x0806))
            link.send(frame(b"\\xff" * 6, me, octets, 0x0806))
        link.send(frame(to, me, advertisement("fd00:99::2", "fd00:99::4", "fd00:99::3", me)))
        link.send(frame(hardware("02:ff:ff:ff:ff:ff"), to, b"\\0" * 46, 0x88B5))
        """
      func known() throws -> [String] {
        // `up` makes permanent entries, which no claim changes. An entry of the kernel's is changed where there is one.
        for address in ["10.99.0.3", "fd00:99::3"] {
          _ = try host.run("ip", "-n", "x.db", "neigh", "del", address, "dev", link)
        }
        try host.succeed(
          "stack", "exec", "-T", "db", "sh", "-c", "ping -c1 -W2 10.99.0.3 && ping -c1 -W2 fd00:99::3")
        try host.forge(from: "evil", program)
        return try ["10.99.0.3", "fd00:99::3"].map { address in
          try host.succeed("stack", "exec", "-T", "db", "ip", "neigh", "show", address, "dev", link)
        }
      }
      for entry in try known() { #expect(entry.contains(web), "\(entry)") }
      let place = try host.succeed("sh", "-c", "bridge fdb show br x-front | grep \(db)")
      #expect(!place.contains("evil") && place.contains("db-"), "\(place)")

      try host.takeGuardsAway(of: "x")
      for entry in try known() { #expect(entry.contains(evil), "\(entry)") }
      // An entry that could move would have moved.
      #expect(try host.succeed("sh", "-c", "bridge fdb show br x-front | grep \(db)").contains("db-"))
      try host.succeed(
        "sh", "-c", "bridge fdb replace \(db) dev $(ls /sys/class/net/x-front/brif | grep db-) master static")
      try host.forge(from: "evil", program)
      #expect(try host.succeed("sh", "-c", "bridge fdb show br x-front | grep \(db)").contains("evil-"))
    }
  }

  /// A packet "from the victim" would open a connection, and what is then sent to the victim be its answer.
  @Test func noPacketOpensAConnectionInAnothersName() throws {
    let other = """
      name: o
      services: {own: {command: [sleep, infinity], networks: {n: {ipv4_address: 10.96.0.2, ipv6_address: "fd00:96::2"}}}}
      networks: {n: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.96.0.0/24}, {subnet: "fd00:96::/64"}]}}}
      """
    try withStack { (host) throws in
      try host.up(other, named: "o")
      let gateway = try host.succeed("cat", "/sys/class/net/o-n/address")
      let uplink = try host.succeed("cat", "/sys/class/net/uplink/address")
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "o/own",
          """
          for own, victim in (("10.96.0.2", "10.98.0.4"), ("fd00:96::2", "fd00:98::4")):
              link.send(frame(hardware("\(gateway)"), me, datagram(victim, own, "forged", port=4000, sender=5353)))
              time.sleep(0.05)
              link.send(frame(hardware("\(gateway)"), me, datagram(own, victim, "\(word)-service")))
          """)
        try host.forgeOutside(
          """
          for own, victim in (("198.51.100.1", "10.98.0.4"), ("2001:db8:1::1", "fd00:98::4")):
              link.send(frame(hardware("\(uplink)"), me, datagram(victim, own, "forged", port=4000, sender=5353)))
              time.sleep(0.05)
              link.send(frame(hardware("\(uplink)"), me, datagram(own, victim, "\(word)-outside")))
          """)
        return try host.book(of: "x/far", at: "10.98.0.4")
      }
      let book = try attack("guarded")
      #expect(!book.contains("guarded-"), "\(book)")
      // Whoever flushes everything opens nothing, and nothing stays open.
      try host.killSupervisors()
      try host.succeed("nft", "flush", "ruleset")
      _ = try host.run(
        "stack", "exec", "-T", "o/own", "sh", "-c", "echo plain | socat -u - UDP:10.98.0.4:5353")
      for name in ["x", "o"] { try host.succeed("stack", "up", "\(name).stack") }
      #expect(try !attack("later").contains("later-"))

      try host.takeGuardsAway(of: "o")
      try host.takeGuardsAway(of: "x")
      let open = try attack("open")
      for source in ["10.96.0.2 open-service", "fd00:96::2 open-service", "198.51.100.1 open-outside"] {
        #expect(open.contains(source), "\(source): \(open)")
      }
    }
  }

  @Test func anotherNetworksAddressOpensNoRule() throws {
    try withStack("policies: [allow: \"web -> far:5353/udp\"]\n") { (host) throws in
      let (front, side) = (
        try host.succeed("cat", "/sys/class/net/x-front/address"),
        try host.succeed("cat", "/sys/class/net/x-side/address")
      )
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "evil",
          """
          for own, victim in (("10.99.0.3", "10.98.0.4"), ("fd00:99::3", "fd00:98::4")):
              link.send(frame(hardware("\(front)"), me, datagram(own, victim, "\(word)")))
          """)
        try host.forge(
          from: "evil", by: "eth1",
          """
          link.send(frame(hardware("\(side)"), me, datagram("10.99.0.3", "10.98.0.4", "\(word)-aside")))
          """)
        return try host.book(of: "far", at: "10.98.0.4")
      }
      #expect(try !attack("guarded").contains("guarded"))
      try host.takeGuardsAway(of: "x")
      let open = try attack("open")
      for line in ["10.99.0.3 open\n", "10.99.0.3 open-aside\n", "fd00:99::3 open\n"] {
        #expect(open.contains(line), "\(open)")
      }
    }
  }

  /// Frames to the groups of the link layer come to the host past the bridge.
  @Test func loopbackSourcesAndLinkLayerGroupsDoNotReachTheHost() throws {
    try withStack { (host) throws in
      let gateway = try host.succeed("cat", "/sys/class/net/x-front/address")
      try host.succeed("sh", "-c", "setsid socat -u UDP-RECV:9999 OPEN:heard,creat,append >/dev/null 2>&1 &")
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "evil",
          """
          for source in ("127.0.0.2", "10.98.0.4"):
              link.send(frame(hardware("\(gateway)"), me, datagram(source, "10.99.0.1", "\(word)-" + source + ";", port=9999)))
          for group in ("01:80:c2:00:00:0e", "01:80:c2:00:00:03"):
              link.send(frame(hardware(group), me, datagram("10.99.0.2", "198.51.100.2", "\(word)-group;", port=9999)))
          link.send(frame(hardware("\(gateway)"), me, datagram("10.99.0.2", "10.99.0.1", "\(word)-end;", port=9999)))
          """)
        guard try host.eventually({ try host.run("cat", "heard").output.contains("\(word)-end;") }) else {
          throw HarnessError("the host hears nothing")
        }
        return try host.succeed("cat", "heard")
      }
      let heard = try attack("guarded")
      #expect(heard == "guarded-end;", "\(heard)")
      try host.takeGuardsAway(of: "x")
      try host.succeed("sh", "-c", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done")
      let open = try attack("open")
      for word in ["open-127.0.0.2;", "open-10.98.0.4;", "open-group;"] { #expect(open.contains(word), "\(open)") }
    }
  }

  @Test func thePlaceOfAServiceThatIsStoppedIsKept() throws {
    try withStack { (host) throws in
      let (web, db) = (try host.hardwareAddress(of: "web"), try host.hardwareAddress(of: "db"))
      try host.succeed("stack", "stop", "x/web")
      try host.forge(
        from: "evil",
        """
        link.send(frame(hardware("\(db)"), hardware("\(web)"), datagram("10.99.0.3", "10.99.0.4", "as-web")))
        link.send(frame(hardware("\(db)"), me, arp(2, me, "10.99.0.3", hardware("\(db)"), "10.99.0.4"), 0x0806))
        """)
      #expect(try !host.book(of: "db", at: "10.99.0.4").contains("as-web"))
    }
  }

  /// A stack that an earlier release brought up.
  @Test func aStackWithoutGuardsGetsThemAtTheNextUp() throws {
    try withStack { (host) throws in
      let pid: Int = try host.field("PID", of: "evil")
      try host.killSupervisors()
      let intent = try host.succeed("cat", "/run/stack/x/stack.json")
      #expect(intent.contains("\"guardsPorts\":true"))
      try host.write(
        intent.replacingOccurrences(of: "\"guardsPorts\":true,", with: "").replacingOccurrences(
          of: ",\"guardsPorts\":true", with: ""), to: "/run/stack/x/stack.json")
      try host.succeed(
        "sh", "-c",
        """
        nft delete table bridge stack-x/ports
        for port in /sys/class/net/x-front/brif/*; do
          port=$(basename $port); ip link set $port arp on; bridge link set dev $port locked off learning on; tc qdisc del dev $port clsact
        done
        tc qdisc del dev x-front clsact
        """)
      try host.succeed("stack", "up", "x.stack")
      #expect(try host.field("PID", of: "evil") == pid, "not restarted")
      let ports = try host.succeed("sh", "-c", "bridge -d link show | grep -A1 x-front")
      #expect(
        ports.contains("locked on") && !ports.contains("locked off") && !ports.contains("learning on"), "\(ports)")
      #expect(try host.succeed("sh", "-c", "ip link show master x-front | grep -c NOARP") == "3")
      let db = try host.hardwareAddress(of: "db")
      try host.forge(
        from: "evil", "link.send(frame(hardware(\"\(db)\"), me, datagram(\"10.99.0.3\", \"10.99.0.4\", \"as-web\")))")
      #expect(try !host.book(of: "db", at: "10.99.0.4").contains("as-web"))
    }
  }
}
