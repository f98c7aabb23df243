import Foundation
import Testing

/// Switches as nodes, seen with bridge(8), ping and verify.
@Suite struct SwitchTests {
  private static func file(_ stp: Bool, more: String = "") -> String {
    """
    name: t
    services:
      s1: {switch: {stp: \(stp)}}
      s2: {switch: {stp: \(stp)}}
      a: {command: [busybox, httpd, -f, -p, "80", -h, /usr/share], expose: ["80"], network_mode: none}
      b: {command: [busybox, httpd, -f, -p, "80", -h, /usr/share], expose: ["80"], network_mode: none}
      c: {command: [sleep, infinity], network_mode: none}
    links:
      - {ends: {a: [10.0.0.1/24, "fd00::1/64"], s1: null}}
      - {ends: {b: [10.0.0.2/24, "fd00::2/64"], s2: null}}
      - {endpoints: ["s1:trunk", "s2:trunk"]}
      \(more)
    expect: [{allow: a -> b:80}, {allow: b -> a:80}]
    """
  }

  private func pings(_ host: ThrowawayHost, _ target: String) throws -> Bool {
    try host.start(["ip", "netns", "exec", "t.a", "ping", "-c1", "-W2", target]).wait(limit: .seconds(60)).status == 0
  }

  @Test func hostsMeetOverTwoSwitches() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.file(false), named: "t")
      #expect(try pings(host, "10.0.0.2") && pings(host, "fd00::2"))
      #expect(try host.inside("s1", "ip -j link show master br0 | jq length") == "2")
      #expect(try host.run("stack", "exec", "a", "getent", "hosts", "b").status == 0)
      for arguments in [["stack", "verify", "t"], ["stack", "verify", "t", "--live"]] {
        let verdict = try host.start(arguments).wait(limit: .seconds(120))
        #expect(verdict.status == 0 && !verdict.output.contains("bridges:"), "\(verdict.output)")
      }
      // A cable that comes later is a port too, and nobody is made anew.
      let pid: Int = try host.field("PID", of: "s1")
      try host.up(Self.file(false, more: "- {ends: {c: 10.0.0.3/24, s1: null}}"), named: "t")
      #expect(try pings(host, "10.0.0.3"))
      #expect(try host.field("PID", of: "s1") == pid)
      try host.succeed("stack", "link", "a:s1", "--down")
      #expect(try !pings(host, "10.0.0.2"))
      try host.succeed("stack", "link", "a:s1", "--up")
      #expect(try pings(host, "10.0.0.2"))
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aCircleOfSwitchesBlocksAPort() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file(true, more: "- {endpoints: [\"s1:x\", \"s2:x\"]}"), named: "t")
      func states() throws -> Set<String> {
        Set(
          try ["s1", "s2"].flatMap {
            try host.inside($0, "bridge -j link | jq -r '.[].state'").split(separator: "\n").map(String.init)
          })
      }
      #expect(try host.eventually(within: .seconds(60)) { try states() == ["blocking", "forwarding"] })
      #expect(try host.eventually(within: .seconds(30)) { try pings(host, "10.0.0.2") })
    }
  }
}
