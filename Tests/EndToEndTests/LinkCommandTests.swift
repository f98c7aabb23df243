import Foundation
import Testing

/// Links changed by hand while a stack runs: `stack link`, `stack partition`, `stack heal`.
@Suite struct LinkCommandTests {
  private static let file = """
    name: n
    services:
      a: {command: [sleep, infinity], networks: {lab: {egress: {rate: 50mbit}}}}
      b: {command: [sleep, infinity], networks: [lab]}
      c: {command: [sleep, infinity], networks: [lab]}
    networks: {lab: }
    """

  private func reaches(_ sender: String, _ receiver: String, on host: ThrowawayHost) throws -> Bool {
    let address = try host.ipAddress(of: receiver)
    return try host.run("ip", "netns", "exec", "n.\(sender)", "ping", "-c", "2", "-i", "0.1", "-W", "1", address).status
      == 0
  }

  private func rate(_ host: ThrowawayHost) throws -> String {
    let text = try host.succeed("ip", "netns", "exec", "n.a", "tc", "-j", "qdisc", "show", "dev", "eth0")
    let queues = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    return queues.compactMap { ($0["options"] as? [String: Any])?["rate"] as? Int }.map { "\($0 * 8 / 1_000_000)" }
      .joined(separator: ",")
  }

  @Test func aChangeHoldsThroughARestartAndUntilItIsTakenBack() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "link", "a:lab", "--rate", "10mbit")
      #expect((9...10.5).contains(try host.megabits(from: "a", to: "b", of: "n", enough: 9)))
      #expect((9...10.5).contains(try host.megabits(from: "b", to: "a", of: "n", enough: 9)))
      try host.succeed("stack", "restart", "a")
      #expect(try rate(host) == "10")
      try host.killSupervisors()
      try host.succeed("stack", "link", "n/a:lab", "--egress", "--rate", "20mbit")
      #expect(try rate(host) == "20")
      let table = try host.succeed("stack", "link", "n")
      #expect(table.contains("rate 20mbit"), "\(table)")
      #expect(table.contains("rate 10mbit"), "\(table)")
      #expect(table.contains("by hand"), "\(table)")
      try host.succeed("stack", "up", "--force-recreate", "n.stack")
      #expect(try rate(host) == "20", "made anew, it is as it was")
      try host.succeed("stack", "link", "a", "--reset")
      #expect(try rate(host) == "50")
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aChangeForATimeEndsByItself() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "link", "a:lab", "--rate", "10mbit", "--for", "4s")
      #expect(try rate(host) == "10")
      #expect(try host.eventually(within: .seconds(20)) { try rate(host) == "50" })
      // Also one whose time is up while no supervisor runs.
      try host.succeed("stack", "link", "a:lab", "--down", "--for", "10s")
      #expect(try !reaches("a", "b", on: host))
      try host.killSupervisors()
      try host.succeed("sleep", "10.5")
      try host.succeed("stack", "start", "b")
      #expect(try host.eventually(within: .seconds(20)) { try reaches("a", "b", on: host) })
    }
  }

  @Test func lossIsSeenAndCounted() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "link", "b:lab", "--ingress", "--loss", "10%")
      // Of 2,000, within six standard deviations: no run in a hundred million is beyond by chance.
      let lost = try host.lost(from: "a", to: "b", of: "n")
      #expect((120...280).contains(lost))
      #expect(try host.lost(from: "b", to: "a", of: "n") == 0)
      let line = try host.succeed("stack", "link", "b:lab", "--format", "json").split(separator: "\n").first {
        $0.contains("ingress")
      }
      let object = try JSONSerialization.jsonObject(with: Data((line ?? "").utf8)) as? [String: Any]
      #expect(object?["loss"] as? Double == 0.1)
      #expect((object?["dropped"] as? Int ?? 0) >= lost)
    }
  }

  @Test func aLinkIsSetDownAndUp() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "link", "a:lab", "--down")
      #expect(try !reaches("a", "b", on: host))
      #expect(try reaches("c", "b", on: host))
      try host.succeed("stack", "link", "a:lab", "--up")
      #expect(try reaches("a", "b", on: host))
      #expect(try rate(host) == "50")
    }
  }

  /// The file says nothing about this link: once reset, it has no queue of its own.
  @Test func whatTheFileDoesNotLimitIsUnlimitedAgain() throws {
    func queues(_ host: ThrowawayHost) throws -> [String] {
      let text = try host.succeed("ip", "netns", "exec", "n.c", "tc", "-j", "qdisc", "show", "dev", "eth0")
      let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
      return list.compactMap { $0["kind"] as? String }
    }
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      let before = try queues(host)
      try host.succeed("stack", "link", "c:lab", "--rate", "10mbit")
      #expect(try queues(host).contains("tbf"))
      try host.succeed("stack", "link", "c:lab", "--rate", "20mbit")
      #expect(try queues(host).filter { $0 == "tbf" } == ["tbf"])
      try host.succeed("stack", "link", "c", "--reset")
      #expect(try queues(host) == before)
    }
  }

  @Test func sidesOfAPartitionDoNotReachEachOther() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.file, named: "n")
      try host.succeed("stack", "partition", "a,b", "c")
      #expect(try reaches("a", "b", on: host))
      #expect(try !reaches("a", "c", on: host))
      #expect(try !reaches("c", "b", on: host))
      try host.succeed("stack", "up", "--force-recreate", "n.stack")
      #expect(try !reaches("c", "b", on: host), "made anew, they are apart")
      try host.succeed("stack", "heal")
      #expect(try reaches("a", "c", on: host))
      try host.succeed("stack", "partition", "b")
      #expect(try !reaches("a", "b", on: host))
      #expect(try reaches("a", "c", on: host))
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aPartitionHoldsForIPv6AndForServicesThatCome() throws {
    let text = """
      name: n
      services:
        a: {command: [sleep, infinity], networks: [lab], scale: 2}
        b: {command: [sleep, infinity], networks: [lab]}
      networks: {lab: {enable_ipv6: true}}
      """
    func reaches(_ sender: String, _ receiver: String, _ option: String, on host: ThrowawayHost) throws -> Bool {
      try host.run(
        "ip", "netns", "exec", "n.\(sender)", "ping", option, "-c", "2", "-i", "0.1", "-W", "1", receiver
      ).status == 0
    }
    try ThrowawayHost.with { host in
      try host.up(text, named: "n")
      let listed = try host.succeed("ip", "-n", "n.b", "-j", "-6", "addr", "show", "scope", "global")
      let links = try JSONSerialization.jsonObject(with: Data(listed.utf8)) as? [[String: Any]] ?? []
      let infos = links.flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }
      let (v6, v4) = (try #require(infos.first?["local"] as? String), try host.ipAddress(of: "b"))
      #expect(try reaches("a-1", v6, "-6", on: host))
      try host.succeed("stack", "partition", "a", "b")
      #expect(try !reaches("a-1", v6, "-6", on: host))
      #expect(try !reaches("a-1", v4, "-4", on: host))
      #expect(try host.succeed("stack", "link").contains("cut off from each other: a | b"))
      let verification = try host.run("stack", "verify")
      #expect(verification.status == 1 && verification.output.contains("note: cut off from each other by hand: a | b"))
      // A further replica stands where its service does, and so does who comes to all others.
      try host.succeed("stack", "up", "--scale", "a=3", "n.stack")
      #expect(try !reaches("a-3", v4, "-4", on: host))
      try host.succeed("stack", "partition", "b")
      try host.up(text + "\nx-more: 1", named: "n")
      try host.write(
        text.replacingOccurrences(
          of: "networks: {lab", with: "  c: {command: [sleep, infinity], networks: [lab]}\nnetworks: {lab"),
        to: "n.stack")
      try host.succeed("stack", "up", "n.stack")
      #expect(try !reaches("c", v6, "-6", on: host))
      try host.succeed("stack", "heal")
      #expect(try reaches("c", v6, "-6", on: host))
    }
  }

  private static let cable = """
    name: n
    services:
      r1: {command: [sleep, infinity], routes: ["10.9.0.0/24 via 10.1.1.2"]}
      r2: {command: [sleep, infinity]}
      side: {command: [sleep, infinity], network_mode: "service:r1"}
      top: {command: [sleep, infinity], network_mode: host}
    links: [{ends: {r1: 10.1.1.1/30, r2: 10.1.1.2/30}, rate: 40mbit}]
    """

  @Test func linksBetweenServicesAreShownChangedAndCut() throws {
    func passes(_ host: ThrowawayHost) throws -> Bool {
      try host.run("ip", "netns", "exec", "n.r1", "ping", "-c", "2", "-i", "0.1", "-W", "1", "10.1.1.2").status == 0
    }
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.cable, named: "n")
      #expect(try host.succeed("stack", "link", "r2:r1").contains("rate 40mbit  file"))
      try host.succeed("stack", "link", "r2:r1", "--egress", "--rate", "10mbit")
      #expect(try host.succeed("ip", "netns", "exec", "n.r2", "tc", "qdisc").contains("rate 10Mbit"))
      let table = try host.succeed("stack", "link", "n")
      #expect(table.contains("r1:r2       ingress  up     rate 10mbit  by hand"), "\(table)")
      try host.succeed("stack", "link", "r1:r2", "--down", "--for", "2s")
      #expect(try !passes(host))
      #expect(try host.succeed("stack", "link", "r1:r2").contains("s left"))
      #expect(try host.eventually(within: .seconds(20)) { try passes(host) })
      #expect(try host.succeed("stack", "link", "r2").contains("rate 10mbit  by hand"))
      try host.succeed("stack", "partition", "side", "r2")
      #expect(try !passes(host))
      #expect(try host.succeed("stack", "link", "r1").contains("cut"))
      try host.succeed("stack", "up", "--force-recreate", "n.stack")
      #expect(try !passes(host), "made anew, they are apart")
      try host.succeed("stack", "heal")
      #expect(try passes(host))
      #expect(try host.succeed("ip", "-n", "n.r1", "route").contains("10.9.0.0/24 via 10.1.1.2"), "routes stayed")
      // Another rate in the file is set on the link as it is.
      try host.write(Self.cable.replacingOccurrences(of: "40mbit", with: "30mbit"), to: "n.stack")
      let outcome = try host.run("stack", "up", "n.stack")
      #expect(outcome.errors.contains("n/r1: link to r2 changed"), "\(outcome)")
      let shared = try host.run("stack", "partition", "r1", "side")
      #expect(shared.errors.contains("side and r1 cannot be on two sides of a partition: they share one network"))
      #expect(try host.run("stack", "partition", "top", "r2").errors.contains("it has the host's network"))
      try host.succeed("stack", "down", "n")
      try host.expectUnchanged(since: before)
    }
  }

  @Test(arguments: [
    (["link", "a:lab", "--rate", "10"], "--rate 10 has no unit\n  did you mean 10mbit?"),
    (["link", "a:lab", "--loss", "200%"], "--loss 200% is more than all packets"),
    (["link", "a:lab", "--jitter", "5ms"], "a jitter of 5ms needs a delay"),
    (["link", "a:back", "--down"], "n/a: has no link to back\n  it has links to lab"),
    (["link", "x:lab", "--down"], "x"),
    (["link", "a:lab", "--down", "--for", "soon"], "--for soon is no duration"),
    (["partition", "a", "x"], "n: has no service x\n  it has a, b, c"),
    (["partition", "a,b", "b,c"], "b cannot be on two sides"),
    (["partition", "a,b,c"], "no service is left"),
  ])
  func whatMakesNoSenseIsRefused(_ arguments: [String], _ words: String) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "n")
      let outcome = try host.start(["stack"] + arguments).wait(limit: .seconds(60))
      // A value that cannot be meant is a mistake of the command line; what is not there is a failure.
      let isMistake = words.hasPrefix("--") || words.hasPrefix("a jitter")
      #expect(outcome.status == (isMistake ? 2 : 1), "\(outcome)")
      #expect(outcome.errors.contains(words), "\(outcome)")
      #expect(try rate(host) == "50")
    }
  }
}
