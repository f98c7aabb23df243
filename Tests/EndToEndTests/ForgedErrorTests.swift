import Foundation
import Testing

/// Packets that speak about packets: ICMP errors, neighbour discovery in fragments, and addresses that are the host's in other ways.
@Suite struct ForgedErrorTests {
  /// `ear` writes down each ICMP error that reaches it, as `FROM TEXT`, with the last octets of the packet that it quotes.
  private static let stack = """
    name: x
    \(ThrowawayHost.recorder)
    services:
      evil: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
      ear:
        networks: {front: {ipv4_address: 10.99.0.3, ipv6_address: "fd00:99::3"}}
        command:
          - python3
          - -c
          - |
            import select, socket
            four, six = socket.socket(2, 3, 1), socket.socket(10, 3, 58)
            book = open("/tmp/book", "a", 1)
            while True:
                for one in select.select([four, six], [], [])[0]:
                    text, sender = one.recvfrom(999)
                    body = text[20:] if one is four else text
                    if body[0] in (1, 3, 100): print(sender[0], body[-6:].decode(), file=book)
    \(ThrowawayHost.recorders)
    networks:
      front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}
      back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64"}]}}

    """

  private static let kit = """
    def error(own, to, quoted, kind=None):
        if ":" in own:
            body = struct.pack("!BBHI", kind or 1, 4, 0, 0) + quoted
            return packet(own, to, 58, transport(own, to, 58, body, b"", 2))
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        return packet(own, to, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])

    def fragments(whole):
        if whole[0] >> 4 == 6:
            for offset, part in ((1, whole[40:48]), (8, whole[48:])):
                body = struct.pack("!BBHI", whole[6], 0, offset, 7) + part
                yield whole[:4] + struct.pack("!HB", len(body), 44) + whole[7:40] + body
            return
        for field, part in ((0x2000, whole[20:28]), (1, whole[28:])):
            head = whole[:2] + struct.pack("!HHH", 20 + len(part), 7, field) + whole[8:10] + bytes(2) + whole[12:20]
            yield head[:10] + struct.pack("!H", checksum(head)) + head[12:] + part

    """

  private func withStack(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.stack, named: "x")
      try body(host)
    }
  }

  /// Connection tracking relates an error to the connection of the packet that it quotes, and related packets pass.
  @Test func errorsComeFromWhereThePacketWent() throws {
    try withStack { (host) throws in
      let ear = try host.hardwareAddress(of: "ear")
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "evil",
          Self.kit + """
            to = hardware("\(ear)")
            for own, other, db in (("10.99.0.2", "10.99.0.3", "10.99.0.4"), ("fd00:99::2", "fd00:99::3", "fd00:99::4")):
                for text in ("one", "any"):
                    kind = 100 if text == "any" else None
                    link.send(frame(to, me, error(own, other, datagram(other, db, "\(word)" + text), kind)))
                for part in fragments(error(own, other, datagram(other, db, "\(word)cut"))):
                    link.send(frame(to, me, part))
                    time.sleep(0.05)
                link.send(frame(to, me, error(own, other, datagram(other, own, "\(word)end"))))
            """)
        guard
          try host.eventually({
            let book = try host.run("stack", "exec", "-T", "ear", "cat", "/tmp/book").output
            return book.contains("10.99.0.2 \(word)end") && book.contains("fd00:99::2 \(word)end")
          })
        else { throw HarnessError("no honest error arrives") }
        return try host.succeed("stack", "exec", "-T", "ear", "cat", "/tmp/book")
      }
      let guarded = try attack("grd")
      for word in ["grdone", "grdany", "grdcut"] { #expect(!guarded.contains(word), "\(guarded)") }
      try host.takeGuardsAway(of: "x")
      let open = try attack("opn")
      for line in ["10.99.0.2 opnone", "fd00:99::2 opnone", "fd00:99::2 opnany"] {
        #expect(open.contains(line), "\(open)")
      }
    }
  }

  /// The check of a target must not depend on the first fragment's having one.
  @Test func advertisementsInFragmentsAreHeldToo() throws {
    try withStack { (host) throws in
      let (ear, db, evil) = (
        try host.hardwareAddress(of: "ear"), try host.hardwareAddress(of: "db"), try host.hardwareAddress(of: "evil")
      )
      try host.succeed("stack", "exec", "-T", "db", "ping", "-c1", "-W2", "fd00:99::3")
      try host.forge(
        from: "evil",
        Self.kit + """
          for part in fragments(advertisement("fd00:99::2", "fd00:99::4", "fd00:99::3", me)):
              link.send(frame(hardware("\(db)"), me, part))
              time.sleep(0.05)
          link.send(frame(hardware("\(db)"), me, datagram("fd00:99::2", "fd00:99::4", "after")))
          """)
      #expect(try host.eventually { try host.book(of: "db", at: "fd00:99::4").contains("after") })
      let entry = try host.succeed("stack", "exec", "-T", "db", "ip", "neigh", "show", "fd00:99::3")
      #expect(entry.contains(ear) && !entry.contains(evil), "\(entry)")
    }
  }

  /// Broadcast and anycast addresses of another network are the host's as well as its gateway there.
  @Test func noAddressOfAnotherNetworkLeadsToTheHost() throws {
    try withStack { (host) throws in
      let gateway = try host.succeed("cat", "/sys/class/net/x-front/address")
      for address in ["UDP-RECV:9999", "UDP6-RECV:9998"] {
        try host.succeed("sh", "-c", "setsid socat -u \(address) OPEN:heard,creat,append >/dev/null 2>&1 &")
      }
      let sent = """
        for to in ("10.98.0.1", "10.98.0.255", "10.98.0.0", "10.99.0.1"):
            link.send(frame(hardware("\(gateway)"), me, datagram("10.99.0.2", to, to + ";", port=9999)))
        for to in ("fd00:98::1", "fd00:98::", "fd00:99::1"):
            link.send(frame(hardware("\(gateway)"), me, datagram("fd00:99::2", to, to + ";", port=9998)))
        """
      let own = try host.eventually {
        try host.forge(from: "evil", sent)
        let heard = try host.run("cat", "heard").output
        return heard.contains("10.99.0.1;") && heard.contains("fd00:99::1;")
      }
      #expect(own, "the host does not hear its own addresses")
      let heard = try host.succeed("cat", "heard")
      #expect(!heard.contains("10.98.") && !heard.contains("fd00:98:"), "\(heard)")
    }
  }

  /// The neighbour table is one for all namespaces: nobody fills it by asking for addresses that nobody has.
  @Test func theHostLooksForNobodysAddresses() throws {
    try withStack { (host) throws in
      let gateway = try host.succeed("cat", "/sys/class/net/x-front/address")
      func entries(_ last: Int) throws -> String {
        try host.forge(
          from: "evil",
          """
          link.send(frame(hardware("\(gateway)"), me, datagram("10.99.0.2", "10.99.0.\(last)", "x")))
          link.send(frame(hardware("\(gateway)"), me, datagram("fd00:99::2", "fd00:99::\(last)", "x")))
          link.send(frame(hardware("01:80:c2:00:00:0e"), me, arp(1, me, "198.51.100.\(last)", bytes(6), "198.51.100.2"), 0x0806))
          """)
        // What the host answers comes after.
        try host.succeed("stack", "exec", "-T", "evil", "ping", "-c1", "-W2", "10.99.0.1")
        return try host.succeed("sh", "-c", "ip neigh | grep -E '[.:]\(last) ' || true")
      }
      #expect(try entries(77) == "")
      try host.takeGuardsAway(of: "x")
      let open = try entries(88)
      for address in ["10.99.0.88", "fd00:99::88"] { #expect(open.contains(address), "\(open)") }
    }
  }

  /// With a port of its choice, a service would take what clients send to a listener of the host (CVE-2021-3773).
  @Test func theSourcePortOutsideIsNotTheServices() throws {
    try withStack { (host) throws in
      try host.succeed(
        "sh", "-c",
        """
        setsid python3 -c 'import socket
        s = socket.socket(2, 2); s.bind(("", 4600))
        while True: print(s.recvfrom(9)[1][1], flush=True)' >port 2>/dev/null &
        """, from: .outside)
      let came = try host.eventually {
        try host.succeed(
          "stack", "exec", "-T", "evil", "python3", "-c",
          "import socket; s = socket.socket(2, 2); s.bind(('', 5353)); s.sendto(b'x', ('198.51.100.1', 4600))")
        return try !host.run("cat", "port").output.isEmpty
      }
      #expect(came)
      let ports = try host.succeed("cat", "port").split(separator: "\n").compactMap { Int($0) }
      #expect(!ports.isEmpty && ports.allSatisfy { (32768...60999).contains($0) }, "\(ports)")
    }
  }

  /// The header of PACKET_VNET_HDR has the host write a checksum over octets that rules have looked at.
  @Test func noServiceSaysWhereChecksumsGo() throws {
    try withStack { (host) throws in
      let answer = try host.run(
        "stack", "exec", "-T", "evil", "python3", "-c",
        "import socket; s = socket.socket(17, 3, 0); s.setsockopt(263, 8, 1); s.setsockopt(263, 15, 1)")
      #expect(answer.status != 0 && answer.errors.contains("PermissionError"), "\(answer)")
    }
  }

  /// Between two starts, a service with the folder around it can put a link in a source's place.
  @Test func noLinkLeadsABindElsewhere() throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "mkdir -p data/cache data/root secret; echo SECRET >secret/secret")
      try host.up(
        """
        name: x
        services:
          evil: {command: [sleep, infinity], volumes: ["./data:/data"]}
          other: {command: [sleep, infinity], volumes: ["./data/cache:/cache", "./data/new/made:/made"]}
        """, named: "x")
      #expect(try host.succeed("sh", "-c", "test -d data/new/made && echo made") == "made")
      let path = try host.succeed("pwd")
      try host.succeed(
        "stack", "exec", "-T", "evil", "sh", "-c", "rmdir /data/cache && ln -s \(path)/secret /data/cache")
      let answer = try host.run("stack", "restart", "other")
      #expect(answer.status != 0 && answer.errors.contains("it is a link"), "\(answer)")
      #expect(try host.run("stack", "exec", "-T", "other", "cat", "/cache/secret").output != "SECRET")
    }
  }
}
