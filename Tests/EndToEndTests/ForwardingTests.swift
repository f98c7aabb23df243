import Foundation
import Testing

/// Names of the world outside, asked of resolvers for the services.
@Suite struct ForwardingTests {
  private static let file = """
    name: n
    services:
      a: {command: [sleep, infinity], networks: [front]}
      b: {command: [sleep, infinity], networks: [back]}
      c: {command: [sleep, infinity], networks: [front, back], dns: [\(ThrowawayHost.outsideAddress)]}
    networks: {front: {}, back: {internal: true}}
    """

  /// A host whose /etc/resolv.conf names these, with a resolver at each of the outside's addresses.
  private static func with(servers: [String], _ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.write(servers.map { "nameserver \($0)\n" }.joined(), to: "resolv.conf")
      try host.succeed("mount", "--bind", "resolv.conf", "/etc/resolv.conf")
      let long = String(repeating: "x", count: 200)
      let texts = (0..<10).map { "--txt-record=big.test,\($0)\(long)" }
      var resolvers: [Subprocess] = []
      for (address, answer) in [
        (ThrowawayHost.internetAddress, "192.0.2.80"), (ThrowawayHost.outsideAddress, "192.0.2.81"),
      ] {
        let options = [
          "--no-daemon", "--no-resolv", "--no-hosts", "--bind-interfaces", "--log-queries", "--user=root",
          "--conf-file=/dev/null", "--listen-address=\(address)", "--pid-file=",
          "--address=/example.test/\(answer)", "--local=/nothing.test/", "--local=/single/",
          "--log-facility=\(ThrowawayHost.workFolder)/\(address).log", "--edns-packet-max=4096",
        ]
        resolvers.append(try host.start(["dnsmasq"] + options + texts, from: .outside))
        #expect(
          try host.eventually {
            try host.run("dig", "+short", "+time=1", "+tries=1", "@\(address)", "example.test").output == answer
          })
      }
      try host.up(file, named: "n")
      try body(host)
      for resolver in resolvers { try host.signal(15, to: resolver) }
    }
  }

  @Test func namesOutsideAreAskedOfTheHostsResolvers() throws {
    try Self.with(servers: [ThrowawayHost.internetAddress]) { (host: ThrowawayHost) throws in
      #expect(try host.dig("example.test.", from: "a") == ["192.0.2.80"])
      #expect(try host.dig("www.EXAMPLE.test.", "+noedns", from: "a") == ["192.0.2.80"])
      #expect(try host.dig("example.test.", "+tcp", from: "a") == ["192.0.2.80"])
      #expect(try host.status(of: "nothing.test.", from: "a") == "NXDOMAIN")
      #expect(try host.inNamespaces(of: "a", "getent", "ahostsv4", "example.test").hasPrefix("192.0.2.80"))
      // Its own resolver, where a service has one.
      #expect(try host.dig("example.test.", from: "c") == ["192.0.2.81"])
    }
  }

  @Test func aLongAnswerIsHadWholeOverTCP() throws {
    try Self.with(servers: [ThrowawayHost.internetAddress]) { (host: ThrowawayHost) throws in
      #expect(try host.dig("big.test.", "TXT", "+bufsize=1232", from: "a").count == 10)
      #expect(try host.dig("big.test.", "TXT", "+tcp", from: "a").count == 10)
      let cut = try host.run("stack", "exec", "a", "dig", "+ignore", "+bufsize=1232", "big.test.", "TXT").output
      #expect(cut.contains(" tc "))
    }
  }

  @Test func anInternalNetworkAsksNobody() throws {
    try Self.with(servers: [ThrowawayHost.internetAddress]) { (host: ThrowawayHost) throws in
      for name in ["example.test.", "single.", "80.2.0.192.in-addr.arpa."] {
        #expect(try host.status(of: name, from: "b") == "NXDOMAIN", "\(name)")
      }
      #expect(try host.dig("example.test.", from: "a") == ["192.0.2.80"])
      let log = try host.succeed("cat", "\(ThrowawayHost.internetAddress).log")
      #expect(log.contains("query[A] example.test from \(ThrowawayHost.address)"))
      #expect(!log.contains("query[A] single"))
      // Nor for names of the stack that one does not see.
      #expect(try host.status(of: "b.", from: "a") == "NXDOMAIN")
      #expect(try !host.succeed("cat", "\(ThrowawayHost.internetAddress).log").contains("query[A] b from"))
    }
  }

  @Test func aResolverThatDoesNotAnswerIsPassedOver() throws {
    // Nobody is there; nobody listens; one answers.
    try Self.with(servers: ["198.51.100.77", ThrowawayHost.address, ThrowawayHost.internetAddress]) {
      (host: ThrowawayHost) throws in
      #expect(try host.dig("example.test.", from: "a") == ["192.0.2.80"])
      // A resolver that is taken away, and a file that changes.
      try host.write("nameserver 198.51.100.77\n", to: "resolv.conf")
      #expect(try host.dig("+time=6", "+tries=1", "example.test.", from: "a") == [])
      #expect(try host.status(of: "+time=6", "+tries=1", "example.test.", from: "a") == "SERVFAIL")
      #expect(try host.dig("c.", from: "a").count == 1)
    }
  }
}
