import Foundation
import Testing

/// Routing daemons of the host's packages under `rootfs: host`, in the labs that teach them.
@Suite struct DaemonTests {
  /// The number of `count` pings that were answered, one each 100 ms. `body` runs half a second after the first.
  private func received(
    _ host: ThrowawayHost, from service: String, to address: String, count: Int, while body: () throws -> Void
  ) throws -> Int {
    let ping = try host.start(["stack", "exec", service, "ping", "-i", "0.1", "-c", "\(count)", "-q", address])
    usleep(500_000)
    try body()
    let output = try ping.wait(limit: .seconds(60)).output
    let words = output.split(whereSeparator: { " ,\n".contains($0) }).map(String.init)
    guard let place = words.firstIndex(of: "received"), let number = Int(words[place - 1]) else {
      throw HarnessError("ping says: \(output)")
    }
    return number
  }

  /// Whether each router of ospf.stack has two neighbours that have acknowledged all that it told them.
  private func isWhole(_ host: ThrowawayHost) throws -> Bool {
    try ["r1", "r2", "r3", "r4"].allSatisfy { router in
      let table = try host.succeed("stack", "exec", router, "vtysh", "-c", "show ip ospf neighbor")
      let acknowledged = table.split(separator: "\n").filter { line in
        let words = line.split(separator: " ")
        return words.contains { $0.hasPrefix("Full/") } && words.suffix(3).first == "0"
      }
      return acknowledged.count == 2
    }
  }

  @Test func ospfFindsAnotherWayWhenACableIsCut() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.succeed("stack", "up", Repository.stackFile("labs/ospf.stack"), limit: .seconds(120))
      let neighbours = try host.succeed("stack", "exec", "r1", "vtysh", "-c", "show ip ospf neighbor")
      #expect(try host.eventually { try isWhole(host) }, "\(neighbours)")
      #expect(host.eventually { (try? host.succeed("stack", "exec", "h1", "curl", "-sm2", "10.80.3.2")) != nil })
      // Which way the packets go is OSPF's choice: each cable of r1 is cut in turn.
      for other in ["r2", "r4"] {
        let count = try received(host, from: "h1", to: "10.80.3.2", count: 40) {
          try host.succeed("stack", "link", "r1:\(other)", "--down")
        }
        #expect(count >= 25, "\(other): \(count) of 40 packets came back; OSPF's dead interval is 40 s")
        let routes = try host.succeed("ip", "-n", "ospf.r1", "route", "show", "10.80.3.0/24")
        #expect(routes.contains("proto ospf"), "\(routes)")
        try host.succeed("stack", "link", "r1:\(other)", "--up")
        let cable = other == "r2" ? "10.80.12.0/30" : "10.80.41.0/30"
        #expect(try host.succeed("ip", "-n", "ospf.r1", "route", "show", cable).contains("proto kernel"))
        #expect(try host.eventually { try isWhole(host) })
      }
      try host.succeed("stack", "down", "ospf")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func bgpTakesTheLongWay() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.succeed("stack", "up", Repository.stackFile("labs/bgp.stack"), limit: .seconds(120))
      func hops() throws -> Int {
        let trace = try host.succeed(
          "stack", "exec", "h1", "traceroute", "-n", "-q", "1", "-w", "1", "-m", "6", "10.90.3.2")
        // Routers limit the rate of their answers, so a hop may be a star. The last line is the destination's.
        return trace.split(separator: "\n").dropFirst().count
      }
      #expect(try hops() == 3)
      #expect(try host.succeed("stack", "exec", "as1", "birdc", "show", "protocols").contains("Established"))
      try host.succeed("stack", "link", "as1:as3", "--down")
      #expect(try host.eventually { try hops() == 4 })
      try host.succeed("stack", "link", "as1:as3", "--up")
      #expect(try host.eventually { try hops() == 3 })
      try host.succeed("stack", "down", "bgp")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aNodeCanBeWorkedOn() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services:
          r1: {command: [sleep, infinity], forward: true, devices: [/dev/net/tun]}
          h1: {command: [sleep, infinity]}
          o1: {command: [sleep, infinity], forward: true, userns_mode: host}
        """, named: "t")
      try host.succeed("stack", "exec", "r1", "ip", "tuntap", "add", "dev", "tun0", "mode", "tun")
      try host.succeed("stack", "exec", "r1", "ip", "route", "add", "10.99.0.0/24", "dev", "eth0")
      for service in ["r1", "o1"] {
        try host.succeed("stack", "exec", service, "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=1")
        #expect(
          try host.succeed("ip", "netns", "exec", "t.\(service)", "cat", "/proc/sys/net/ipv4/conf/all/arp_ignore")
            == "1")
        for path in ["/proc/sys/kernel/panic", "/proc/sys/vm/swappiness"] {
          #expect(try host.run("stack", "exec", service, "sh", "-c", "echo 1 >\(path)").status != 0, "\(path)")
        }
      }
      #expect(try host.run("cat", "/proc/sys/net/ipv4/conf/all/arp_ignore").output == "0", "the host's is another")
      #expect(try host.run("stack", "exec", "h1", "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=1").status != 0)
      let prompt = try host.succeed("sh", "-c", "echo 'echo \"${PS1@P}\"' | stack exec -T r1 bash -i 2>/dev/null")
      #expect(prompt.contains("root@r1:/#"), "\(prompt)")
      #expect(try host.succeed("stack", "exec", "r1", "su", "daemon", "-s", "/bin/sh", "-c", "id -un") == "daemon")
    }
  }
}
