import Foundation
import Testing

/// Who reaches whom (network cases 1 to 5), for TCP and UDP, seen by socat.
@Suite struct ReachingCaseTests {
  /// Services that tell whoever asks, over TCP and UDP on port 9000, what address they see.
  private static func echoes(_ names: [String: String], tail: String) -> String {
    let services = names.sorted { $0.key < $1.key }.map { name, networks in
      """
        \(name):
          command: [sh, -c, "socat UDP-LISTEN:9000,fork SYSTEM:'echo $$SOCAT_PEERADDR' & exec socat TCP-LISTEN:9000,fork,reuseaddr SYSTEM:'echo $$SOCAT_PEERADDR'"]
          expose: ["9000", "9000/udp"]
          networks: \(networks)
      """
    }
    return "name: n\nservices:\n\(services.joined(separator: "\n"))\n\(tail)\n"
  }

  /// What a service is told by an address; empty when nobody answers.
  private static func ask(_ transport: String, _ address: String, inside service: String, _ host: ThrowawayHost) throws
    -> String
  {
    let target = transport == "TCP" ? "TCP:\(address):9000,connect-timeout=2" : "UDP:\(address):9000"
    let script = "echo x | socat -T1 -t1 - \(target) 2>/dev/null"
    return try host.run("stack", "exec", service, "sh", "-c", script).output
  }

  @Test(arguments: ["TCP", "UDP"]) func case1OneNetworkByAddressNameAndAliasWithTheSendersOwnAddress(
    _ transport: String
  )
    throws
  {
    try ThrowawayHost.with { host in
      try host.up(
        Self.echoes(
          ["a": "{lan: {aliases: [first]}}", "b": "{lan: {aliases: [second]}}"], tail: "networks: {lan: {}}"),
        named: "n")
      for (source, target, alias) in [("a", "b", "second"), ("b", "a", "first")] {
        let own = try host.ipAddress(of: source)
        for name in [target, alias, try host.ipAddress(of: target)] {
          #expect(
            try host.eventually { try Self.ask(transport, name, inside: source, host) == own }, "\(source) -> \(name)")
        }
      }
    }
  }

  @Test func case2OutOfAnInternalNetworkIsRefusedAtOnce() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.echoes(["a": "[lan]"], tail: "networks: {lan: {internal: true}}"), named: "n")
      let script = "socat -T1 - TCP:\(ThrowawayHost.internetAddress):9000 </dev/null"
      let outcome = try host.run("stack", "exec", "a", "sh", "-c", script)
      #expect(outcome.status != 0 && outcome.errors.contains("unreachable"), "\(outcome)")
    }
  }

  @Test(arguments: ["TCP", "UDP"]) func case3DifferentNetworksAreApart(_ transport: String) throws {
    try ThrowawayHost.with { host in
      try host.up(
        Self.echoes(["a": "[one]", "b": "[two]", "c": "[one]"], tail: "networks: {one: {}, two: {}}"), named: "n")
      #expect(try Self.ask(transport, host.ipAddress(of: "b"), inside: "a", host) == "")
      #expect(try Self.ask(transport, host.ipAddress(of: "a"), inside: "b", host) == "")
      let neighbour = try host.ipAddress(of: "c")
      #expect(
        try host.eventually { try Self.ask(transport, host.ipAddress(of: "a"), inside: "c", host) == neighbour })
    }
  }

  @Test func case4TheDefaultRouteHasTheHighestPriority() throws {
    try ThrowawayHost.with { host in
      let text = Self.echoes(
        ["a": "{one: {}, two: {gw_priority: 1}}", "b": "[one]", "c": "[two]"],
        tail: "networks: {one: {subnet: 10.71.0.0/24}, two: {subnet: 10.72.0.0/24}}")
      try host.up(text, named: "n")
      #expect(try host.eventually { try Self.ask("TCP", "b", inside: "a", host).hasPrefix("10.71.0.") })
      #expect(try host.eventually { try Self.ask("TCP", "c", inside: "a", host).hasPrefix("10.72.0.") })
      let route = try host.succeed("ip", "netns", "exec", "n.a", "ip", "-j", "route", "show", "default")
      #expect(route.contains("\"gateway\":\"10.72.0.1\""), "\(route)")
    }
  }

  @Test func case5FromOutsideNothingAndFromTheHostAnswers() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.echoes(["a": "[lan]"], tail: "networks: {lan: {subnet: 10.71.0.0/24}}"), named: "n")
      let address = try host.ipAddress(of: "a")
      try host.succeed("ip", "route", "add", "10.71.0.0/24", "via", ThrowawayHost.address, from: .outside)
      for target in ["TCP:\(address):9000,connect-timeout=2", "UDP:\(address):9000"] {
        let script = "echo x | socat -T1 -t1 - \(target) 2>/dev/null"
        #expect(try host.run("sh", "-c", script, from: .outside).output == "", "\(target)")
        #expect(try host.eventually { try host.run("sh", "-c", script).output == "10.71.0.1" }, "\(target)")
      }
    }
  }
}
