import Foundation
import Testing

/// The host's table of connections is shared out: a service that fills its share takes nobody else's.
@Suite struct ConnectionShareTests {
  /// Flows that are answered, and flows that are not.
  private static let flood = """
    import socket
    for first in range(20000, 25000, 500):
        flows = [socket.socket(2, 2) for _ in range(500)]
        for port, one in enumerate(flows, first):
            one.bind(("", port))
            one.settimeout(0.2)
            one.sendto(b"x", ("10.99.0.4", 5353))
        for one in flows:
            try: one.recv(9)
            except OSError: break
            one.sendto(b"x", ("10.99.0.4", 5353))
        for one in flows: one.close()
    for last in (LAST, LAST + 1):
        one = socket.socket(2, 2)
        for port in range(1000, 6000): one.sendto(b"x", ("203.0.113.%d" % last, port))
    """

  @Test func aServiceTakesItsShareOfConnectionsAlone() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          evil: {command: [sleep, infinity], cap_drop: [ALL], networks: {front: {ipv4_address: 10.99.0.2}}}
          mate: {command: [sleep, infinity], networks: {front: {ipv4_address: 10.99.0.3}}}
          echo:
            command:
              - python3
              - -c
              - |
                import socket
                one = socket.socket(2, 2)
                one.bind(("", 5353))
                while True: one.sendto(*one.recvfrom(9))
            networks: {front: {ipv4_address: 10.99.0.4}}
        networks: {front: {subnet: 10.99.0.0/24}}
        policies: [{deny: "mate -> echo:99"}]
        """, named: "x")
      let size = try #require(Int(try host.succeed("cat", "/proc/sys/net/netfilter/nf_conntrack_max")))
      let share = max(1024, size / 32)
      #expect(try host.succeed("nft", "list", "chain", "inet", "stack-x", "share").contains("ct count over \(share) "))
      func entries(of address: String) throws -> Int {
        try #require(Int(try host.run("grep", "-c", " src=\(address) ", "/proc/net/nf_conntrack").output))
      }
      func flood(_ last: Int) throws {
        try host.succeed(
          "stack", "exec", "-T", "evil", "python3", "-",
          input: Data(Self.flood.replacingOccurrences(of: "LAST", with: "\(last)").utf8))
      }
      try flood(100)
      let held = try entries(of: "10.99.0.2")
      #expect(held <= share * 3 / 2 && held > share / 2, "\(held) of \(share)")
      // The other one has its own, and so has another stack.
      let other = ThrowawayHost.servers(
        stack: "y", ["s"], extra: ["s": ["ports: [\"8090:80\"]"]], tail: "networks: {default: {subnet: 10.98.0.0/24}}")
      try host.up(other, named: "y")
      #expect(try host.get("\(ThrowawayHost.address):8090", from: .outside) == "y s")
      try host.succeed("stack", "exec", "-T", "mate", "sh", "-c", "printf x | socat -u - UDP:203.0.113.99:4000")
      #expect(try entries(of: "10.99.0.3") == 1)

      try host.killSupervisors()
      try host.succeed("nft", "flush", "chain", "inet", "stack-x", "share")
      try flood(102)
      #expect(try entries(of: "10.99.0.2") > share * 3 / 2)
    }
  }

  /// The rules are put back when another program deletes them.
  @Test func theShareIsPutBack() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {a: {command: [sleep, infinity]}}\n", named: "x")
      try host.succeed("nft", "flush", "chain", "inet", "stack-x", "share")
      #expect(
        try host.eventually {
          try host.succeed("nft", "list", "chain", "inet", "stack-x", "share").contains("ct count over")
        })
    }
  }
}
