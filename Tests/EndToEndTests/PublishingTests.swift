import Foundation
import Testing

/// Published ports: who reaches them, by which address, and as whom.
@Suite struct PublishingTests {
  @Test func aPublishedPortAnswersFromEverywhere() throws {
    try ThrowawayHost.with { host in
      try host.up(
        ThrowawayHost.servers(stack: "p", ["a", "b"], extra: ["a": ["ports: [\"8080:80\"]"]]), named: "p")
      for address in ["127.0.0.1", "localhost", ThrowawayHost.address] {
        #expect(try host.get("\(address):8080") == "p a", "from the host by \(address)")
      }
      let address = ThrowawayHost.address
      #expect(try host.get("\(address):8080", from: .outside) == "p a", "from outside")
      #expect(try host.get("\(address):8080", inside: "b") == "p a", "from another service")
      #expect(try host.get("\(address):8080", inside: "a") == "p a", "from the service itself")
      #expect(try host.get("\(host.ipAddress(of: "a")):80") == "p a", "from the host by the service's address")
    }
  }

  @Test func theServiceSeesTheTrueSourceOfOutside() throws {
    try ThrowawayHost.with { host in
      let service = """
        name: p
        services:
          a:
            command: [socat, "TCP-LISTEN:80,fork,reuseaddr", "SYSTEM:echo $$SOCAT_PEERADDR"]
            ports: ["8080:80"]
        """
      try host.up(service, named: "p")
      let script = "socat -T2 - TCP:\(ThrowawayHost.address):8080 </dev/null"
      #expect(try host.run("sh", "-c", script, from: .outside).output == ThrowawayHost.outsideAddress)
    }
  }

  @Test func aPortBoundToLoopbackIsNotReachedFromOutside() throws {
    try ThrowawayHost.with { host in
      try host.up(
        ThrowawayHost.servers(stack: "p", ["a"], extra: ["a": ["ports: [\"127.0.0.1:8080:80\"]"]]), named: "p")
      #expect(try host.get("127.0.0.1:8080") == "p a")
      #expect(try host.get("\(ThrowawayHost.address):8080") == nil)
      #expect(try host.get("\(ThrowawayHost.address):8080", from: .outside) == nil)
      // A packet to 127.0.0.1 that arrives on the uplink.
      try host.succeed(
        "sh", "-c",
        """
        echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip address del 127.0.0.1/8 dev lo
        ip route add 127.0.0.1 via \(ThrowawayHost.address)
        """, from: .outside)
      #expect(try host.get("127.0.0.1:8080", from: .outside) == nil)
    }
  }

  @Test func anUnpublishedPortIsNotReachedFromOutside() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "p", ["a"]), named: "p")
      let address = try host.ipAddress(of: "a")
      try host.succeed("ip", "route", "add", "\(address)/32", "via", ThrowawayHost.address, from: .outside)
      #expect(try host.get(address) == "p a")
      #expect(try host.get(address, from: .outside) == nil)
    }
  }

  @Test func datagramsArePublishedToo() throws {
    try ThrowawayHost.with { host in
      let service = """
        name: p
        services:
          echo:
            command: [socat, "UDP-RECVFROM:7,fork", "EXEC:cat"]
            ports: ["7007:7/udp"]
          other:
            command: [sleep, infinity]
        """
      try host.up(service, named: "p")
      let ask = "echo hello | socat -T1 -t1 - UDP:%:7007"
      for (address, machine) in [
        ("127.0.0.1", Machine.host), (ThrowawayHost.address, .host), (ThrowawayHost.address, .outside),
      ] {
        let script = ask.replacingOccurrences(of: "%", with: address)
        #expect(try host.run("sh", "-c", script, from: machine).output == "hello", "\(machine) by \(address)")
      }
      let script = ask.replacingOccurrences(of: "%", with: ThrowawayHost.address)
      #expect(try host.run("stack", "exec", "other", "sh", "-c", script).output == "hello", "from a service")
      #expect(try host.run("stack", "exec", "echo", "sh", "-c", script).output == "hello", "from the service itself")
    }
  }

  @Test func rangesMapPortByPort() throws {
    try ThrowawayHost.with { host in
      let service = """
        name: p
        services:
          a:
            command:
              - sh
              - -c
              - |
                for port in 90 91 92; do
                  mkdir -p /srv/$$port && echo $$port > /srv/$$port/index.html && busybox httpd -p $$port -h /srv/$$port
                done
                exec sleep infinity
            ports: ["8090-8092:90-92"]
        """
      try host.up(service, named: "p")
      for port in 90...92 {
        #expect(try host.get("127.0.0.1:80\(port)") == "\(port)")
        #expect(try host.get("\(ThrowawayHost.address):80\(port)", from: .outside) == "\(port)")
      }
    }
  }

  @Test func aFreeHostPortIsChosenAndTold() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "p", ["a"], extra: ["a": ["ports: [\"80\"]"]]), named: "p")
      let publishers = try host.field("Publishers", of: "a", as: [[String: Any]].self)
      let port = try #require(publishers.first?["PublishedPort"] as? Int)
      #expect(try host.get("127.0.0.1:\(port)") == "p a")
    }
  }
}
