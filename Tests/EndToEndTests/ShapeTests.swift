import Foundation
import Testing

/// Delay, loss and rate of links: case 16 of the network's acceptance cases.
@Suite struct ShapeTests {
  private static func file(_ conditions: String) -> String {
    """
    name: n
    services:
      a:
        command: [sleep, infinity]
        networks: {lab: {\(conditions)}}
      b:
        command: [sleep, infinity]
        networks: [lab]
    networks:
      lab:
    """
  }

  @Test func aRateHoldsEachWayAndChangesWhileItRuns() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.file("rate: 10mbit, ingress: {rate: 5mbit}"), named: "n")
      let queue = try host.succeed("ip", "netns", "exec", "n.a", "tc", "-j", "qdisc", "show", "dev", "eth0")
      #expect(queue.contains(#""rate":1250000"#), "\(queue)")
      #expect((9...10.5).contains(try host.megabits(from: "a", to: "b", of: "n", enough: 9)))
      #expect((4.5...5.3).contains(try host.megabits(from: "b", to: "a", of: "n", enough: 4.5)))

      let process: Int = try host.field("PID", of: "a")
      try host.up(Self.file("rate: 20mbit"), named: "n")
      #expect((18...21).contains(try host.megabits(from: "a", to: "b", of: "n", enough: 18)))
      #expect((18...21).contains(try host.megabits(from: "b", to: "a", of: "n", enough: 18)))
      #expect(try host.field("PID", of: "a", as: Int.self) == process, "the service went on")

      try host.up(Self.file(""), named: "n")
      #expect(try host.megabits(from: "a", to: "b", of: "n") > 100)
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func lossIsOfOneWayAndLeavesNothing() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.file("egress: {loss: 10%}"), named: "n")
      #expect((160...240).contains(try host.lost(from: "a", to: "b", of: "n")))
      #expect(try host.lost(from: "b", to: "a", of: "n") == 0)
      try host.up(Self.file("ingress: {loss: 10%}"), named: "n")
      #expect((160...240).contains(try host.lost(from: "b", to: "a", of: "n")))
      #expect(try host.lost(from: "a", to: "b", of: "n") == 0)
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aLinkBetweenServicesHasConditionsEachWay() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: n
        services:
          a: {command: [sleep, infinity], network_mode: none}
          b: {command: [sleep, infinity], network_mode: none}
        links:
          - ends:
              a: {address: 10.0.12.1/30, egress: {loss: 20%}}
              b: {address: 10.0.12.2/30}
            rate: 10mbit
        """, named: "n")
      for service in ["a", "b"] {
        let queue = try host.succeed("ip", "netns", "exec", "n.\(service)", "tc", "-j", "qdisc", "show", "dev", "eth0")
        #expect(queue.contains(#""rate":1250000"#), "\(queue)")
      }
      let ping = try host.run(
        "ip", "netns", "exec", "n.a", "ping", "-q", "-c", "400", "-i", "0.005", "10.0.12.2", limit: .seconds(60))
      let received = ping.output.split(separator: ",").first { $0.contains("received") }?.split(separator: " ").first
      #expect((250...370).contains(received.flatMap { Int($0) } ?? 0), "\(ping)")
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aDelayIsKeptOrRefusedBeforeAnythingIsMade() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.file("egress: {delay: 50ms}"), to: "n.stack")
      let outcome = try host.run("stack", "up", "n.stack")
      guard try host.hasEmulator() else {
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
          outcome.errors.hasPrefix("error: n/a: cannot set delay on network lab: this kernel has no netem"),
          "\(outcome)")
        #expect(outcome.errors.contains("n.stack:5"), "\(outcome)")
        return try host.expectUnchanged(since: before)
      }
      #expect(outcome.status == 0, "\(outcome)")
      let address = try host.ipAddress(of: "b")
      let ping = try host.succeed("ip", "netns", "exec", "n.a", "ping", "-c", "20", "-i", "0.05", "-q", address)
      let average = ping.split(separator: "/").dropFirst(4).first.flatMap { Double($0) }
      #expect((48...52).contains(average ?? 0), "\(ping)")
    }
  }
}
