import Foundation
import Testing

/// Names as services look them up: by dig, nslookup and getent from inside (network-cases.md, 15).
@Suite struct NameTests {
  private static let file = """
    name: n
    services:
      a: {command: [sleep, infinity], networks: [front, back], container_name: alpha}
      b: {command: [sleep, infinity], networks: {front: {aliases: [store]}}}
      c: {command: [sleep, infinity], networks: [back], dns_search: lab.test, dns_opt: ["timeout:1"]}
      web: {command: [sleep, infinity], networks: [front], scale: 3}
    networks: {front: {subnet: 10.77.0.0/24}, back: {internal: true, subnet: 10.78.0.0/24}}
    """

  @Test func everyNameOfAServiceIsAnswered() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      for name in ["a.", "alpha.", "a-1.", "a.front.n.stack.", "ALPHA.Front.N.Stack."] {
        #expect(try host.dig(name, from: "b") == ["10.77.0.2"], "\(name)")
        #expect(try host.dig(name, "+tcp", from: "b") == ["10.77.0.2"], "\(name) over TCP")
      }
      #expect(try host.dig("store.", from: "a") == ["10.77.0.3"])
      #expect(try host.dig("web-2.", from: "b") == ["10.77.0.5"])
      #expect(try host.status(of: "a.", "AAAA", from: "b") == "NOERROR")
      #expect(try host.dig("a.", "AAAA", from: "b") == [])
      #expect(try host.dig("-x", "10.77.0.3", from: "a") == ["b.front.n.stack."])
      #expect(try host.dig("-x", "10.78.0.3", from: "a") == ["c.back.n.stack."])
      // As programs ask that know neither DNS nor this server.
      #expect(try host.inNamespaces(of: "b", "getent", "hosts", "web-3.front.n.stack").hasPrefix("10.77.0.6 "))
      #expect(try host.inNamespaces(of: "b", "busybox", "nslookup", "web-3").contains("10.77.0.6"))
    }
  }

  @Test func namesAreSeenByNetwork() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      for name in ["c.", "c.back.n.stack."] {
        #expect(try host.status(of: name, from: "b") == "NXDOMAIN", "\(name)")
        #expect(try host.dig(name, from: "a") == ["10.78.0.3"], "\(name)")
      }
      #expect(try host.status(of: "b.", from: "c") == "NXDOMAIN")
      #expect(try host.dig("a.", from: "c") == ["10.78.0.2"], "its address there")
      // Another network's server is no way around that, nor is a false address.
      #expect(try host.run("stack", "exec", "b", "dig", "+time=1", "+tries=1", "@10.78.0.1", "c.").status == 9)
      #expect(try host.status(of: "-x", "10.78.0.3", from: "b") == "NXDOMAIN")
    }
  }

  @Test func replicasTakeTurns() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      let answers = try (0..<3).map { _ in try host.dig("web.", from: "b") }
      #expect(Set(answers.compactMap(\.first)).count == 3)
      #expect(answers.allSatisfy { Set($0) == ["10.77.0.4", "10.77.0.5", "10.77.0.6"] })
    }
  }

  @Test func aStoppedServiceLeavesAtOnceAndComesBack() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "stop", "b", "web-2", "-t", "0")
      #expect(try host.status(of: "b.", from: "a") == "NXDOMAIN")
      #expect(try host.run("stack", "exec", "a", "getent", "hosts", "b").status == 2)
      #expect(try Set(host.dig("web.", from: "a")) == ["10.77.0.4", "10.77.0.6"])
      try host.succeed("stack", "start", "b")
      #expect(try host.dig("store.", from: "a") == ["10.77.0.3"])
      #expect(try host.inNamespaces(of: "a", "getent", "hosts", "b").hasPrefix("10.77.0.3 "))
      // Crashed, and to be started again: gone until it is.
      try host.succeed("stack", "down", "n")
      try host.up(
        """
        name: n
        services:
          a: {command: [sleep, infinity]}
          b: {command: [sleep, infinity], restart: always}
        """, named: "n")
      try host.succeed("sh", "-c", "for i in 1 2 3 4 5; do stack kill b -S KILL 2>/dev/null; done; true")
      #expect(try host.eventually { try host.status(of: "b.", from: "a") == "NXDOMAIN" })
    }
  }

  @Test func withoutASupervisorNamesAreStillThereAndTheNextOneAnswers() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "stop", "web-1", "-t", "0")
      try host.killSupervisors()
      #expect(try host.inNamespaces(of: "a", "getent", "hosts", "b").hasPrefix("10.77.0.3 "))
      #expect(try host.run("stack", "exec", "a", "dig", "+time=1", "+tries=1", "b.").status == 9)
      try host.succeed("stack", "start", "b")
      #expect(try host.dig("b.", from: "a") == ["10.77.0.3"])
      #expect(try host.dig("b.", "+tcp", from: "a") == ["10.77.0.3"])
      #expect(try Set(host.dig("web.", from: "a")) == ["10.77.0.5", "10.77.0.6"])
    }
  }

  @Test func nobodyOutsideCanAsk() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("ip", "route", "add", "10.77.0.0/24", "via", ThrowawayHost.address, from: .outside)
      let ask = ["dig", "+time=1", "+tries=1", "+noall", "+answer", "@10.77.0.1", "a."]
      #expect(try host.start(ask, from: .outside).wait(limit: .seconds(60)).status == 9)
      #expect(try host.start(ask + ["+tcp"], from: .outside).wait(limit: .seconds(60)).status == 9)
      // The host itself is nobody's outside.
      #expect(try host.succeed("dig", "+short", "@10.77.0.1", "a.") == "10.77.0.2")
    }
  }

  @Test func aStackThatPublishesPort53DoesNotGetTheQuestionsOfOthers() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.up(
        """
        name: dns
        services:
          server:
            command: [socat, "UDP-RECVFROM:53,fork", "SYSTEM:echo no answer at all"]
            ports: ["53:53/udp"]
          client: {command: [sleep, infinity]}
        """, named: "dns")
      #expect(try host.dig("a.", from: "b") == ["10.77.0.2"])
      #expect(try host.dig("server.", from: "dns/client").count == 1)
      // And it can be brought up again: its own server is not in its way.
      try host.succeed("stack", "up", "dns.stack")
      #expect(
        try host.run("dig", "+time=1", "+tries=1", "@\(ThrowawayHost.address)", "a.", from: .outside).status == 9)
    }
  }

  /// A question over IPv6 goes neither to whoever publishes port 53 nor by the rules, and is not tracked.
  @Test func namesAreToldOverIPv6AsOverIPv4() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: n
        services:
          a: {command: [sleep, infinity]}
          b: {command: [sleep, infinity]}
          server:
            command: [socat, "UDP6-RECVFROM:53,fork", "SYSTEM:echo no answer at all"]
            ports: ["53:53/udp"]
        networks: {default: {enable_ipv6: true, default: deny}}
        policies: [{deny: any -> host}]
        """, named: "n")
      let gateways = try host.gateways(ofNamespace: "n.a")
      let address = try host.ipAddress(of: "b")
      for gateway in gateways {
        for transport in ["+notcp", "+tcp"] {
          let answer = try host.run(
            "stack", "exec", "a", "dig", "+short", "+time=2", "+tries=1", transport, "@\(gateway)", "b.")
          #expect(answer.output.contains(address), "\(gateway) \(transport): \(answer)")
        }
      }
      let tracked = try host.succeed("sh", "-c", "grep -c 'port=53 ' /proc/net/nf_conntrack || true")
      #expect(tracked.hasPrefix("0"), "\(tracked)")
    }
  }

  @Test func hostilePacketsAreSurvived() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      let program = """
        import random, socket
        random.seed(53)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        question = bytes.fromhex("123401000001000000000000" "016100" "00010001")
        for number in range(3000):
            packet = bytearray(question + bytes(random.randrange(256) for _ in range(random.randrange(40))))
            for _ in range(random.randrange(8)):
                packet[random.randrange(len(packet))] = random.choice([0, 1, 63, 64, 192, 255, random.randrange(256)])
            udp.sendto(bytes(packet[:random.randrange(len(packet) + 1)]), ("10.77.0.1", 53))
        udp.sendto(b"x" * 60000, ("10.77.0.1", 53))
        for text in [b"", b"\\0", b"\\0\\0", b"\\xff\\xff" + question, b"\\0\\5hello", question * 100]:
            tcp = socket.create_connection(("10.77.0.1", 53))
            tcp.sendall(text)
            tcp.close()
        held = [socket.create_connection(("10.77.0.1", 53)) for _ in range(20)]
        print("sent")
        """
      try host.write(program, to: "hostile.py")
      #expect(try host.succeed("ip", "netns", "exec", "n.b", "python3", "hostile.py") == "sent")
      #expect(try host.dig("a.", from: "b") == ["10.77.0.2"])
      #expect(try host.dig("a.", "+tcp", from: "a") == ["10.77.0.2"])
    }
  }
}

extension ThrowawayHost {
  /// The output of dig in a service: one line for each record.
  func dig(_ words: String..., from service: String) throws -> [String] {
    try dig(["+short"] + words, from: service).output.split(separator: "\n").map(String.init)
  }

  /// The response code for a question: NOERROR, NXDOMAIN.
  func status(of words: String..., from service: String) throws -> String? {
    let output = try dig(["+noall", "+comments"] + words, from: service).output
    return output.split(separator: "\n").first { $0.contains("status:") }?
      .split(separator: " ").first {
        $0.hasSuffix(",") && $0 == $0.uppercased() && $0.count > 4 && !$0.contains("QUERY")
      }
      .map { String($0.dropLast()) }
  }

  private func dig(_ words: [String], from service: String) throws -> Outcome {
    try start(["stack", "exec", service, "dig", "+time=2", "+tries=2"] + words).wait(limit: .seconds(60))
  }
}
