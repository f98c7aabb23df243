import Foundation
import Testing

/// Properties that programs expect of their network.
@Suite struct ServiceSurroundingsTests {
  @Test func allAddressesOfLocalhostAreThere() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: lo
        services:
          four: {command: [sleep, infinity], networks: [four]}
          six: {command: [sleep, infinity], networks: [six]}
        networks: {four: {}, six: {enable_ipv6: true}}
        """
      try host.up(text, named: "lo")
      let listen = """
        import socket
        for info in socket.getaddrinfo('localhost', 8000, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            socket.socket(info[0], info[1]).bind(info[4]); print(info[4][0])
        """
      #expect(try host.succeed("stack", "exec", "-T", "four", "python3", "-c", listen) == "127.0.0.1")
      let six = try host.succeed("stack", "exec", "-T", "six", "python3", "-c", listen).split(separator: "\n")
      #expect(Set(six) == ["127.0.0.1", "::1"])
    }
  }

  @Test func aUserWithoutPrivilegesListensOnLowPortsAndPings() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: low
        services:
          own: {command: [busybox, httpd, -f, -p, "80", -h, /etc], user: "1000:1000", ports: ["8081:80"], cap_drop: [ALL]}
          hosts: {command: [busybox, httpd, -f, -p, "80", -h, /etc], user: "1000:1000", ports: ["8082:80"], userns_mode: host}
          given:
            command: [sleep, infinity]
            sysctls: {net.ipv4.ip_unprivileged_port_start: "1024"}
        """
      let before = try host.succeed(
        "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ping_group_range")
      try host.up(text, named: "low")
      let echo = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
      for (service, port) in [("own", 8081), ("hosts", 8082)] {
        #expect(try host.get("127.0.0.1:\(port)/hostname") != nil, "\(service)")
        #expect(try host.run("stack", "exec", "-T", service, "python3", "-c", echo).status == 0, "\(service)")
      }
      // Debian's ping has a file capability, without which the kernel does not execute it.
      let ping = "\(echo); s.settimeout(3); s.sendto(bytes([8, 0, 0, 0, 0, 1, 0, 1]), ('hosts', 0)); s.recv(99)"
      #expect(try host.run("stack", "exec", "-T", "own", "python3", "-c", ping).status == 0)
      // The file has the last word, and the host's own settings are its own.
      #expect(
        try host.succeed("stack", "exec", "given", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "1024")
      #expect(
        try host.succeed("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/net/ipv4/ping_group_range")
          == before)
    }
  }

  @Test func aPublishedPortThatIsListenedOnInsideAloneIsSaid() throws {
    try ThrowawayHost.with { host in
      func up(_ address: String) throws -> Outcome {
        let text = """
          name: inside
          services:
            a: {command: [socat, "TCP-LISTEN:80,bind=\(address),fork", "SYSTEM:echo"], ports: ["8081:80"]}
          """
        try host.write(text, to: "inside.stack")
        return try host.run("stack", "up", "inside.stack")
      }
      for address in ["127.0.0.1", "127.0.0.9"] {
        let outcome = try up(address)
        #expect(outcome.status == 0)
        #expect(
          outcome.errors.contains("inside/a listens on \(address) alone at tcp 80, which is published"), "\(outcome)")
      }
      #expect(try !up("0.0.0.0").errors.contains("alone"))
    }
  }

  @Test func aFolderOfAnIdBeyondThoseOfTheServiceIsSaid() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c",
        "mkdir -p own home group && echo x >home/f && chmod 700 home && chown -R 1234567:1234567 home && chown 0:70000 group"
      )
      func up(_ folder: String, _ keys: String = "") throws -> String {
        let text = """
          name: ids
          services:
            a: {command: [sleep, infinity], volumes: ["./\(folder):/home/u"]\(keys)}
          """
        try host.write(text, to: "ids.stack")
        let outcome = try host.run("stack", "up", "ids.stack")
        #expect(outcome.status == 0, "\(outcome)")
        return outcome.errors
      }
      #expect(try !up("own").contains("belongs to id"))
      #expect(try up("group").contains("group belongs to id 70000"))
      let said = try up("home")
      #expect(said.contains("home belongs to id 1234567, which is beyond the 65536 that a has"), "\(said)")
      #expect(try host.run("stack", "exec", "a", "cat", "/home/u/f").status != 0)
      // What it says helps.
      #expect(try !up("home", ", userns_mode: host").contains("belongs to id"))
      #expect(try host.succeed("stack", "exec", "a", "cat", "/home/u/f") == "x")
    }
  }

  /// The answer to a client would leave by the other way, untranslated.
  @Test(arguments: ["default via r", "203.0.113.0/24 via r"])
  func publishedPortsAnswerWhereRoutesLeadElsewhere(route: String) throws {
    try ThrowawayHost.with { host in
      let text = """
        name: via
        services:
          r: {command: [sleep, infinity], networks: [inner, outer], forward: true}
          a:
            command: [socat, "TCP-LISTEN:80,fork", "SYSTEM:echo $$SOCAT_PEERADDR"]
            networks: [inner]
            ports: ["8081:80"]
            routes: ["\(route)"]
        networks: {inner: {subnet: 10.77.0.0/24}, outer: {}}
        """
      try host.up(text, named: "via")
      func ask(_ address: String, from machine: Machine, _ options: String = "") throws -> String {
        let command = ["socat", "-T3", "-", "TCP:\(address):8081\(options)"]
        return try host.start(["sh", "-c", command.joined(separator: " ") + " </dev/null"], from: machine)
          .wait(limit: .seconds(60)).output
      }
      #expect(try ask(ThrowawayHost.address, from: .outside, ",bind=\(ThrowawayHost.internetAddress)") == "10.77.0.1")
      #expect(try ask(ThrowawayHost.address, from: .host) != "")
      #expect(try ask("127.0.0.1", from: .host) == "10.77.0.1")
      // Where the way leads by the host, the service sees who asks.
      let seen = try ask(ThrowawayHost.address, from: .outside)
      #expect(seen == (route.hasPrefix("default") ? "10.77.0.1" : ThrowawayHost.outsideAddress))
    }
  }

  /// docs/stack-file.md says what happens then.
  @Test func whoChangesItsHardwareAddressIsCutOffUntilItIsBack() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["a": ["cap_add: [NET_ADMIN]"]])
      try host.up(text, named: "web")
      let own = try host.succeed("stack", "exec", "-T", "a", "cat", "/sys/class/net/eth0/address")
      func reaches(_ one: String, _ other: String) throws -> Bool {
        try host.run("stack", "exec", "-T", one, "ping", "-c1", "-W1", "-q", other).status == 0
      }
      try host.succeed("stack", "exec", "-T", "a", "ip", "link", "set", "eth0", "address", "02:00:00:00:00:99")
      #expect(try !reaches("a", "b") && !reaches("b", "a"))
      try host.succeed("stack", "exec", "-T", "a", "ip", "link", "set", "eth0", "address", own)
      #expect(try reaches("a", "b") && reaches("b", "a"))
    }
  }

  /// With a resolver that takes 0.3 seconds for each answer.
  @Test func aThousandNamesAtOnceAreAllAnswered() throws {
    try ThrowawayHost.with { host in
      let resolver = """
        import asyncio, socket
        class Slow(asyncio.DatagramProtocol):
            def connection_made(self, transport): self.transport = transport
            def datagram_received(self, data, sender):
                end = data.index(b'\\0', 12) + 5
                answer = data[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + data[12:end] + b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\xc0\\0\\2\\1'
                asyncio.get_running_loop().call_later(0.3, self.transport.sendto, answer, sender)
        async def main():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)
            s.bind(('\(ThrowawayHost.internetAddress)', 53))
            await asyncio.get_running_loop().create_datagram_endpoint(Slow, sock=s)
            await asyncio.sleep(1000)
        asyncio.run(main())
        """
      let client = """
        import select, socket, sys, time
        count, prefix = int(sys.argv[1]), sys.argv[2]
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(('10.77.0.1', 53))
        start = time.time()
        for i in range(count):
            label = f'{prefix}{i}'.encode()
            s.send(i.to_bytes(2, 'big') + b'\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0' + bytes([len(label)]) + label + b'\\7example\\0\\0\\1\\0\\1')
        seen, codes = set(), set()
        while len(seen) < count and select.select([s], [], [], max(0, start + 5 - time.time()))[0]:
            data = s.recv(4096); seen.add(data[:2]); codes.add(data[3] & 15)
        print(len(seen), sorted(codes))
        """
      try host.write("nameserver \(ThrowawayHost.internetAddress)\n", to: "resolv.conf")
      try host.succeed("mount", "--bind", "resolv.conf", "/etc/resolv.conf")
      try host.write(resolver, to: "resolver.py")
      try host.write(client, to: "client.py")
      let server = try host.start(["python3", "resolver.py"], from: .outside)
      let volume = "volumes: [\"./client.py:/client.py:ro\"]"
      try host.up(
        """
        name: names
        services:
          a: {command: [sleep, infinity], \(volume)}
          b: {command: [sleep, infinity], \(volume)}
        networks: {default: {subnet: 10.77.0.0/24}}
        """, named: "names")
      #expect(
        try host.eventually {
          try host.run("dig", "+short", "+time=1", "+tries=1", "@\(ThrowawayHost.internetAddress)", "x.example").output
            == "192.0.2.1"
        })
      let busy = try host.start(["stack", "exec", "-T", "a", "python3", "/client.py", "1000", "a"])
      // Beside them, whoever asks little does not wait behind whoever asks much.
      let beside = try host.run("stack", "exec", "-T", "b", "python3", "/client.py", "5", "b")
      #expect(beside.output == "5 [0]")
      #expect(try busy.wait(limit: .seconds(60)).output == "1000 [0]")
      // One name a thousand times is one question.
      #expect(try host.run("stack", "exec", "-T", "a", "python3", "/client.py", "1000", "a").output == "1000 [0]")
      try host.signal(15, to: server)
    }
  }
}
