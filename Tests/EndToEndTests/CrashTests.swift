import Foundation
import Glibc
import Testing

/// kill -9 of the command or of the supervisor at many points of `up` and `down`; afterwards `down` leaves nothing, or `up` converges.
///
/// Two ways to choose the point: after a time, swept over the length of an undisturbed run; and at the k-th system call of a kind
/// that makes something, by strace's fault injection, which hits between one effect and the record of the next.
@Suite struct CrashTests {
  private static let calls = [
    "clone3", "mkdirat", "mkdir", "mount", "move_mount", "rename", "renameat2", "sendmsg", "fsync", "connect",
    "unlinkat", "umount2",
  ]

  @Test func upKilledAfterAnyTime() throws {
    try sweep { host, delay in
      try host.run("timeout", "--foreground", "-s", "KILL", delay, "stack", "up", "x.stack")
    }
  }

  @Test func downKilledAfterAnyTime() throws {
    try sweep { host, delay in
      try host.succeed("stack", "up", "x.stack")
      try host.run("timeout", "--foreground", "-s", "KILL", delay, "stack", "down", "x.stack")
    }
  }

  @Test func supervisorKilledAfterAnyTimeOfUp() throws {
    try sweep { host, delay in
      let up = try host.start(["stack", "up", "x.stack"])
      usleep(useconds_t((Double(delay) ?? 0) * 1e6))
      // The youngest process of the binary is the supervisor once there is one, and `up` itself before.
      try host.killYoungestStackProcess()
      _ = try up.wait(limit: .seconds(60))
    }
  }

  @Test(arguments: calls)
  func upKilledAtEachCall(_ call: String) throws {
    try injected(call) { host, inject in
      try host.runTraced(call, inject, "stack", "up", "x.stack")
    }
  }

  @Test(arguments: calls)
  func downKilledAtEachCall(_ call: String) throws {
    try injected(call) { host, inject in
      try host.succeed("stack", "up", "x.stack")
      return try host.runTraced(call, inject, "stack", "down", "x.stack")
    }
  }

  @Test func servicesOutliveTheirSupervisorAndAreAdopted() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "x")
      let pid: Int = try host.field("PID", of: "a")
      try host.killSupervisors()
      #expect(try host.get("127.0.0.1:8080") == "x a")
      #expect(try host.field("PID", of: "a") == pid)
      #expect(try host.field("State", of: "a") == "running")
      #expect(try host.succeed("stack", "exec", "a", "hostname") == "a")
      #expect(try host.get("b", inside: "a") == "x b")
      try host.succeed("stack", "restart", "b")
      #expect(try host.get("b", inside: "a") == "x b")
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func downFindsAStackWhoseStateIsLost() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "x")
      try host.killSupervisors()
      try host.succeed("sh", "-c", "find /run/stack -type f -delete")
      let outcome = try host.run("stack", "down", "x")
      #expect(outcome.status == 0, "\(outcome)")
      try host.expectUnchanged(since: before)
    }
  }

  @Test(arguments: ["", "{", "null", "\u{0}\u{0}\u{0}"])
  func downManagesWithACorruptJournal(_ content: String) throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "x")
      try host.killSupervisors()
      for path in try host.succeed("find", "/run/stack", "-type", "f").split(separator: "\n") {
        try host.write(content, to: String(path))
      }
      let outcome = try host.run("stack", "down", "x")
      #expect(outcome.status == 0, "\(outcome)")
      try host.expectUnchanged(since: before)
    }
  }

  private static let text = ThrowawayHost.servers(stack: "x", ["a", "b"], extra: ["a": ["ports: [\"8080:80\"]"]])

  /// Runs `crash` with delays from nothing to a little more than an undisturbed `up` takes.
  private func sweep(_ crash: (ThrowawayHost, String) throws -> Void) throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.text, to: "x.stack")
      let whole = try host.run("stack", "up", "x.stack")
      #expect(whole.status == 0, "\(whole)")
      try host.succeed("stack", "down", "x.stack")
      let seconds = Double(whole.duration.components.attoseconds) / 1e18 + Double(whole.duration.components.seconds)
      let points = 16
      for point in 0...points {
        let delay = String(format: "%.4f", 0.002 + seconds * 1.2 * Double(point) / Double(points))
        try crash(host, delay)
        try recover(host, before: before, converge: point % 4 == 3, at: "\(delay) s")
      }
    }
  }

  /// Runs `crash` with strace's injection of SIGKILL at the 1st, 2nd, 3rd, 5th, 8th … call, until one run gets by unharmed.
  private func injected(_ call: String, _ crash: (ThrowawayHost, String) throws -> Outcome) throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.text, to: "x.stack")
      var (count, next) = (1, 2)
      while count < 60 {
        let outcome = try crash(host, "inject=\(call):signal=KILL:when=\(count)")
        // 137: the command itself was hit. 1: it was its supervisor or a service, and the command said so.
        #expect([0, 1, 137].contains(outcome.status), "\(outcome)")
        try recover(host, before: before, converge: count % 2 == 0, at: "\(call) number \(count)")
        if outcome.status == 0 { break }
        (count, next) = (next, count + next)
      }
    }
  }

  private func recover(_ host: ThrowawayHost, before: HostState, converge: Bool, at point: String) throws {
    if converge {
      let up = try host.run("stack", "up", "x.stack")
      #expect(up.status == 0, "up after a crash at \(point): \(up)")
      #expect(try host.get("127.0.0.1:8080") == "x a", "after a crash at \(point)")
    }
    let down = try host.run("stack", "down", "x.stack")
    // A supervisor ends a moment after its last answer, and its tracer a moment after it; one that was forgotten would stay longer.
    #expect(
      try host.eventually(within: .seconds(20)) { try host.run("pgrep", "-x", "strace|stack|stack-watch").status != 0 })
    #expect(down.status == 0, "down after a crash at \(point): \(down)")
    let differences = try HostState(of: host).differences(since: before)
    #expect(differences.isEmpty, "after a crash at \(point):\n\(differences.joined(separator: "\n"))")
  }
}

extension ThrowawayHost {
  /// Runs a command under strace, with its threads and children, applying `inject` to `call`.
  ///
  /// The tracer stands aside (-D), so the outcome is the command's own. It is ended with the command: a supervisor that
  /// is started again would be killed at the same call of the next command, and so on. With -o, strace blocks SIGTERM.
  fileprivate func runTraced(_ call: String, _ inject: String, _ command: String...) throws -> Outcome {
    let tracer = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", inject]
    let outcome = try start(tracer + command).wait(limit: .seconds(60))
    for pid in try run("pgrep", "-x", "strace").output.split(separator: "\n") { try run("kill", "-9", String(pid)) }
    #expect(try eventually(within: .seconds(20)) { try run("pgrep", "-x", "strace").status != 0 })
    return outcome
  }

  fileprivate func killYoungestStackProcess() throws {
    if let pid = try stackProcesses().last { try run("kill", "-9", "\(pid)") }
  }
}
