import Foundation
import Testing

/// Attacks on what a file says about who may talk to whom, by services without special rights. Each fails, and succeeds once its
/// defence is taken away by hand.
@Suite struct AttackTests {
  /// Says back what comes by protocols that have no ports, and by UDP.
  private static let mirror = """
    import select, socket
    socks = [socket.socket(2, 3, number) for number in (47, 50, 253)] + [socket.socket(2, 2)]
    socks[-1].bind(("", 5353))
    while True:
        for one in select.select(socks, [], [])[0]:
            text, sender = one.recvfrom(2000)
            if one is socks[-1]: one.sendto(b"answer", sender)
            elif b"question" in text: one.sendto(text[20:].replace(b"question", b"answered"), sender)
    """

  /// Asks by each of them, and says which were answered.
  private static let asking = """
    import socket, struct, sys, time
    def ask(to, number, body):
        one = socket.socket(2, 3, number)
        one.settimeout(0.3)
        for turn in range(3):
            one.sendto(body, (to, 0))
            end = time.time() + 0.3
            try:
                while time.time() < end:
                    text, sender = one.recvfrom(2000)
                    if sender[0] == to and (b"answered" in text or number == 1 and text[20] == 0): return True
            except OSError: pass
        return False
    def udp(to):
        one = socket.socket(2, 2)
        one.bind(("", 4444))
        one.settimeout(0.3)
        for turn in range(3):
            try:
                one.sendto(b"x", (to, 5353))
                if one.recv(99) == b"answer": return True
            except OSError: pass
        return False
    echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"ping"
    total = sum(struct.unpack("!6H", echo))
    echo = echo[:2] + struct.pack("!H", ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF) + echo[4:]
    for to in ("10.99.0.3", "10.98.0.3"):
        ways = dict(udp=udp(to), gre=ask(to, 47, struct.pack("!HH", 0, 0x6558) + b"question" * 4),
            esp=ask(to, 50, struct.pack("!II", 1, 1) + b"question" * 4), other=ask(to, 253, b"question" * 4),
            icmp=ask(to, 1, echo))
        for way in ways:
            if ways[way]: print(to, way)
    """

  private static func mirrors(_ policies: String) -> String {
    let mirror = mirror.split(separator: "\n").map { "          \($0)" }.joined(separator: "\n")
    return """
      name: x
      x-mirror: &mirror
        command:
          - python3
          - -c
          - |
      \(mirror)
      services:
        a: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2}}}
        near:
          <<: *mirror
          networks: {front: {ipv4_address: 10.99.0.3}}
        far:
          <<: *mirror
          networks: {back: {ipv4_address: 10.98.0.3}}
      networks: {front: {default: deny, subnet: 10.99.0.0/24}, back: {default: deny, subnet: 10.98.0.0/24}}
      policies: [\(policies)]
      """
  }

  private static let everyWay = ["10.99.0.3", "10.98.0.3"].flatMap { to in
    ["udp", "gre", "esp", "other", "icmp"].map { "\(to) \($0)" }
  }

  @Test func flowsOfAllProtocolsEndWithTheRuleThatLetThem() throws {
    try ThrowawayHost.with { host in
      func answered() throws -> [String] {
        try host.succeed("stack", "exec", "-T", "a", "python3", "-", input: Data(Self.asking.utf8))
          .split(separator: "\n").map(String.init)
      }
      try host.up(Self.mirrors("{allow: \"a -> near\"}, {allow: \"a -> far\"}"), named: "x")
      #expect(try host.eventually(within: .seconds(30)) { try answered() == Self.everyWay })
      try host.up(Self.mirrors("{deny: \"a -> near\"}, {deny: \"a -> far\"}"), named: "x")
      #expect(try answered() == [])
      try host.killSupervisors()
      try host.succeed(
        "sh", "-c", "nft insert rule inet stack-x forward accept; nft insert rule bridge stack-x/ports passing accept")
      #expect(try answered() == Self.everyWay)
    }
  }

  /// A port of VLAN 10 sends with tags and without, to the addresses of other VLANs, of the untagged network, of another network and
  /// of the host.
  @Test func noTagLeadsOutOfAVLAN() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        \(ThrowawayHost.recorder)
        services:
          evil: {command: [sleep, infinity], networks: {lab: {vlan: 10, ipv4_address: 10.1.10.2}}}
          db:
            <<: *recorder
            networks: {lab: {vlan: 20, ipv4_address: 10.1.20.9}, aside: {ipv4_address: 10.3.0.9}}
          plain:
            <<: *recorder
            networks: {lab: {ipv4_address: 10.1.0.9}}
          trunk: {command: [sleep, infinity], networks: {lab: {vlan: {trunk: [10, 20]}}}}
          out:
            <<: *recorder
            networks: {o: {ipv4_address: 10.2.0.9}}
        networks:
          lab: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: 10.1.20.0/24}}
          aside: {subnet: 10.3.0.0/24}
          o: {subnet: 10.2.0.0/24}
        """, named: "x")
      let hardware =
        try ["db", "plain", "trunk", "out"].map { try host.hardwareAddress(of: $0) }
        + ["x-lab", "x-o"].map { try host.succeed("cat", "/sys/class/net/\($0)/address") } + ["ff:ff:ff:ff:ff:ff"]
      try host.succeed("sh", "-c", "setsid socat -u UDP-RECV:9999 OPEN:heard,creat,append >/dev/null 2>&1 &")
      func attack(_ word: String) throws -> String {
        try host.forge(
          from: "evil",
          """
          for to in "\(hardware.joined(separator: " "))".split():
              for target, port in (("10.1.20.9", 5353), ("10.1.0.9", 5353), ("10.2.0.9", 5353), ("10.1.0.1", 9999), ("198.51.100.2", 9999)):
                  for tags in ((), (0,), (10,), (20,), (10, 20), (0, 20), (20, 0), (1, 20)):
                      for source in ("10.1.10.2", "10.1.20.77"):
                          link.send(frame(hardware(to), me, datagram(source, target, "\(word);", port), tags=tags))
          """)
        let books = [("db", "10.3.0.9"), ("plain", "10.1.0.9"), ("out", "10.2.0.9")]
        return try books.map { try host.book(of: $0, at: $1) }.joined()
          + (try host.run("cat", "heard").output)
      }
      let books = try attack("guarded")
      #expect(!books.contains("guarded"), "\(books)")
      try host.takeGuardsAway(of: "x")
      // A kernel whose bridges do not tell VLANs apart has a bridge for each.
      try host.succeed(
        "sh", "-c",
        """
        port=$(ls /sys/class/net/*/brif | grep evil-)
        bridge=$(ls /sys/class/net | grep ^v20lab- || true)
        [ -n "$bridge" ] && ip link set $port master $bridge || bridge vlan add vid 20 dev $port
        """)
      let open = try attack("open")
      #expect(open.contains("open"), "\(open)")
    }
  }

  /// Another stack that joins a network has no say in what the names of the owner's services mean.
  @Test func aGuestTakesNoNameOfItsHosts() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: one
        services:
          web: {command: [sleep, infinity], networks: [front]}
          db: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.4}}}
        networks: {front: {subnet: 10.99.0.0/24}}
        """, named: "one")
      try host.up(
        """
        name: two
        services:
          db:
            command: [sleep, infinity]
            hostname: db
            networks:
              f: {ipv4_address: 10.99.0.66, aliases: [db, web, localhost, www.example.com, db.front.db.one, honest]}
        networks: {f: {external: true, name: one/front}}
        """, named: "two")
      // Now the owner knows the guest.
      try host.succeed("stack", "up", "one.stack")
      func answers() throws -> String {
        try host.succeed(
          "stack", "exec", "-T", "one/web", "python3", "-",
          input: Data(
            """
            import socket
            for name in ("db", "web", "localhost", "www.example.com", "db.front.one.stack", "honest"):
                try: print(name, sorted({each[4][0] for each in socket.getaddrinfo(name, 80, socket.AF_INET)}))
                except OSError: print(name, "none")
            """.utf8))
      }
      let names = try answers()
      try host.succeed("stack", "stop", "one/db")
      let stopped = try answers()
      for line in (names + "\n" + stopped).split(separator: "\n") where !line.hasPrefix("honest ") {
        #expect(!line.contains("10.99.0.66"), "\(line)")
      }
      #expect(names.contains("db ['10.99.0.4']"), "\(names)")
      // A name that is nobody else's is the guest's to give.
      #expect(names.contains("honest ['10.99.0.66']"), "\(names)")
    }
  }

  @Test func aPublishedPortIsNoWayPastARule() throws {
    func text(_ policies: String) -> String {
      """
      name: x
      services:
        evil: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
        evil2: {command: [sleep, infinity], networks: {back: {ipv4_address: 10.98.0.2, ipv6_address: "fd00:98::2"}}}
        evil3: {command: [sleep, infinity], networks: {in: {ipv4_address: 10.97.0.2}}}
        db:
          command: [sh, -c, "mkdir /www; echo secret >/www/index.html; exec busybox httpd -f -p '[::]:5432' -h /www"]
          networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
          ports: ["8432:5432", {target: 5432, published: "8433", from: [198.51.100.0/24]}, "127.0.0.1:8434:5432"]
      networks:
        front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64", gateway: "fd00:99::1"}]}}
        back: {enable_ipv6: true, ipam: {config: [{subnet: 10.98.0.0/24}, {subnet: "fd00:98::/64", gateway: "fd00:98::1"}]}}
        in: {internal: true, subnet: 10.97.0.0/24}
      policies: [\(policies)]
      """
    }
    try ThrowawayHost.with { host in
      try host.up(text("{deny: \"evil* -> db\"}, {deny: \"10.96.0.0/16 -> db\"}"), named: "x")
      try host.up(
        "name: o\nservices: {evil: {command: [sleep, infinity], networks: {n: {ipv4_address: 10.96.0.2}}}}\n"
          + "networks: {n: {subnet: 10.96.0.0/24}}\n", named: "o")
      #expect(try host.eventually { try host.get("198.51.100.2:8432", from: .outside) == "secret" })
      #expect(try host.get("198.51.100.2:8433", from: .outside) == "secret")
      let places = [
        "10.99.0.1", "10.98.0.1", "10.97.0.1", "198.51.100.2", "[fd00:99::1]", "[fd00:98::1]", "[2001:db8:1::2]",
      ]
      .flatMap { address in [8432, 8433, 8434].map { "\(address):\($0)" } }
      func reached(_ service: String) throws -> [String] {
        let loop = places.map { "[ \"$(curl -g -s -m .5 http://\($0)/)\" = secret ] && echo '\($0)'" }
        return try host.run("stack", "exec", "-T", service, "sh", "-c", loop.joined(separator: "\n") + "\ntrue")
          .output.split(separator: "\n").map(String.init)
      }
      for service in ["x/evil", "x/evil2", "x/evil3", "o/evil"] { #expect(try reached(service) == [], "\(service)") }
      // Without the rules, the port that is for all is reached by who may reach the host.
      try host.up(text(""), named: "x")
      for service in ["x/evil", "x/evil2", "o/evil"] {
        #expect(try reached(service).contains("198.51.100.2:8432"), "\(service)")
      }
    }
  }

  /// Sockets bound to addresses that are not the service's own: IP_FREEBIND needs no capability, IP_TRANSPARENT one over the network
  /// namespace.
  @Test func withoutRawSocketsNoOtherAddressIsUsed() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        \(ThrowawayHost.recorder)
        services:
          evil: {command: [sleep, infinity], cap_drop: [NET_RAW], networks: {front: {ipv4_address: 10.99.0.2, ipv6_address: "fd00:99::2"}}}
          db:
            <<: *recorder
            networks: {front: {ipv4_address: 10.99.0.4, ipv6_address: "fd00:99::4"}}
        networks: {front: {enable_ipv6: true, ipam: {config: [{subnet: 10.99.0.0/24}, {subnet: "fd00:99::/64"}]}}}
        """, named: "x")
      func attack(_ word: String) throws -> (said: String, book: String) {
        let said = try host.succeed(
          "stack", "exec", "-T", "evil", "python3", "-",
          input: Data(
            """
            import socket
            for family, level, free, transparent, sources, to in (
                (2, 0, 15, 19, ("10.99.0.3", "10.99.0.77", "10.99.0.1"), "10.99.0.4"),
                (10, 41, 78, 75, ("fd00:99::3", "fd00:99::77", "fd00:99::1"), "fd00:99::4")):
                for option in (free, transparent):
                    for source in sources:
                        one = socket.socket(family, 2)
                        try:
                            one.setsockopt(level, option, 1)
                            one.bind((source, 0))
                            one.sendto(("\(word)-" + source).encode(), (to, 5353))
                        except OSError: pass
            for family, kind, number in ((17, 3, 3), (17, 2, 3), (2, 3, 255), (2, 3, 1), (10, 3, 58)):
                try:
                    socket.socket(family, kind, number)
                    print("raw", family, kind)
                except OSError: pass
            """.utf8))
        return (said, try host.book(of: "db", at: "10.99.0.4"))
      }
      let (said, book) = try attack("guarded")
      #expect(!said.contains("raw") && !book.contains("guarded"), "\(said) \(book)")
      try host.takeGuardsAway(of: "x")
      let (_, open) = try attack("open")
      // For IPv4, the kernel itself looks for a route from addresses of its own alone.
      #expect(open.contains("fd00:99::77 open-fd00:99::77"), "\(open)")
    }
  }

  /// NET_ADMIN is over the service's own network namespace. The kernel also tells it a number for the host's, by which links can be
  /// made on links there. Only the host's users could.
  @Test func netAdminMakesNoLinkOnTheHosts() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          own: {command: [sleep, infinity], cap_add: [NET_ADMIN]}
          users: {command: [sleep, infinity], cap_add: [NET_ADMIN], userns_mode: host}
        """, named: "x")
      let uplink = try host.succeed("cat", "/sys/class/net/uplink/ifindex")
      func makesLink(_ service: String) throws -> Bool {
        try host.run(
          "stack", "exec", "-T", service, "sh", "-c",
          """
          ip link show eth0 | grep -q 'link-netnsid 0' || exit 99
          ip link add link if\(uplink) name taken link-netnsid 0 type macvlan
          """
        ).status == 0
      }
      #expect(try !makesLink("own"))
      #expect(try makesLink("users"))
    }
  }

  /// A service with NET_ADMIN names its links and tables. What is said of them does not move the cursor of whoever reads it.
  @Test func namesOfLinksAreShownAsText() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          r: {command: [sleep, infinity], forward: true, networks: [a]}
          b: {command: [sleep, infinity], networks: [a]}
        networks: {a: {subnet: 10.99.0.0/24}}
        """, named: "x")
      try host.succeed(
        "stack", "exec", "-T", "r", "bash", "-c",
        """
        name=$(printf 'a\\033[31mb') && ip link add "$name" type bridge && ip link set "$name" up
        ip address add 10.77.0.1/24 dev "$name" && ip route add 10.78.0.0/24 via 10.77.0.2
        ip rule add iif "$name" lookup main
        """)
      for command in [["verify", "--live", "x"], ["reach", "r", "b"], ["verify", "--live", "x", "--format", "json"]] {
        let outcome = try host.start(["stack"] + command).wait(limit: .seconds(60))
        #expect(!outcome.outputBytes.contains(0x1B), "\(command): \(outcome)")
      }
      let said = try host.run("stack", "verify", "--live", "x").output
      #expect(said.contains("a^[[31mb"), "\(said)")
    }
  }
}
