import Foundation
import Glibc
import Testing

/// Builds that go wrong, or are ended: a clear word, nothing left, and the next build finds all in order.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct BuildFaultTests {
  private static let endless = "FROM base\nRUN touch /one\nRUN echo begun; while true; do sleep 1; done"

  private func start(_ host: ThrowawayHost, _ dockerfile: String, until text: String) throws -> Subprocess {
    try host.write(dockerfile, to: "x/Dockerfile")
    let build = try host.start(["sh", "-c", "exec stack build --progress plain -t x x 2>&1"])
    guard host.eventually({ build.output.contains(text) }) else { throw HarnessError(build.output) }
    return build
  }

  @Test func interruptionEndsAStepThatNeverEnds() throws {
    try TestBuilds.with { host in
      let build = try start(host, Self.endless, until: "  begun")
      try host.signal(SIGINT, to: build)
      let outcome = try build.wait(limit: .seconds(20))
      #expect(outcome.status == 130 && outcome.output.contains("cancelled"), "\(outcome)")
      #expect(try host.leftovers() == "")
      #expect(try host.build("FROM base\nRUN touch /one").errors.contains("RUN touch /one: cached"))
    }
  }

  @Test func aStepThatWritesTooMuchIsCutAndTheBuildGoesOn() throws {
    try TestBuilds.with { host in
      let line = String(repeating: "x", count: 99)
      let outcome = try host.build("FROM base\nRUN yes \(line) | head -c 6000000; echo the end\nRUN echo goes on")
      #expect(outcome.status == 0 && outcome.errors.contains("  goes on"))
      #expect(outcome.errors.utf8.count < 3_000_000 && !outcome.errors.contains("  the end"))
      let note = try #require(outcome.errors.split(separator: "\n").first { $0.contains("lines are not shown here") })
      let log = try #require(note.split(separator: " ").last.map(String.init))
      #expect(try host.succeed("tail", "-n", "1", log) == "the end")
      let failed = try host.build("FROM base\nRUN seq 100; exit 3")
      #expect(failed.status == 1 && failed.errors.contains("all of its output is in"), "\(failed)")
      try host.succeed("stack", "build", "prune", "--all")
      #expect(try host.succeed("sh", "-c", "ls -A /var/lib/stack/.images/builds/logs") == "")
    }
  }

  @Test func aKilledBuildLeavesNoCommandBehindAndTheNextOneClearsUp() throws {
    try TestBuilds.with { host in
      let build = try start(host, Self.endless, until: "  begun")
      try host.signal(SIGKILL, to: build)
      _ = try build.wait(limit: .seconds(20))
      #expect(try host.eventually { try host.run("pgrep", "-f", "while true").status != 0 })
      let doctor = try host.run("stack", "doctor")
      #expect(doctor.output.contains("a build was killed and left the stack stack-build-"), "\(doctor)")
      #expect(doctor.output.contains("stack build prune"), "\(doctor)")
      #expect(try host.build("FROM base\nRUN touch /one").errors.contains("RUN touch /one: cached"))
      #expect(try host.leftovers() == "")
    }
  }

  @Test(arguments: [["stack", "build", "prune"], ["stack", "up", "s.stack"]])
  func otherCommandsClearUpAfterAKilledBuildToo(_ command: [String]) throws {
    try TestBuilds.with { host in
      try host.write("name: s\nservices: {a: {command: [sleep, \"1001\"]}}", to: "s.stack")
      let build = try start(host, Self.endless, until: "  begun")
      // One that lives is left alone. What takes the store for itself waits for it, and says so.
      try host.succeed("stack", "up", "s.stack")
      try host.succeed("stack", "down", "s")
      #expect(try !host.run("stack", "doctor").output.contains("a build was killed"))
      let prune = try host.start(["sh", "-c", "exec stack build prune 2>&1"])
      #expect(host.eventually { prune.output.contains("waiting for a build") }, "\(prune.output)")
      #expect(try host.succeed("find", "/sys/fs/cgroup", "-type", "d", "-name", "stack-build-*") != "")
      try host.signal(SIGKILL, to: build)
      _ = try build.wait(limit: .seconds(20))
      #expect(try prune.wait(limit: .seconds(60)).status == 0)
      #expect(try host.start(command).wait(limit: .seconds(60)).status == 0)
      try host.run("stack", "down", "s")
      #expect(try host.eventually { try host.leftovers() == "" })
    }
  }

  @Test func killedAfterAnyTimeTheStoreIsWholeAndTheCacheRight() throws {
    try TestBuilds.with { host in
      try host.write("data", to: "x/data")
      let text = "FROM base\nWORKDIR /srv\nCOPY data .\nRUN cat data >/copy\nRUN cat /copy >/srv/again && rm /copy"
      try host.write(text, to: "x/Dockerfile")
      for delay in stride(from: 0.01, to: 0.35, by: 0.03) {
        try host.write("data \(delay)", to: "x/data")
        try host.run("timeout", "--foreground", "-s", "KILL", "\(delay)", "stack", "build", "-q", "-t", "x", "x")
        try host.built(text)
        try host.up("services: {web: {image: x, command: [sleep, \"1000\"]}}", named: "s")
        #expect(try host.succeed("stack", "exec", "web", "cat", "/srv/again") == "data \(delay)")
        try host.succeed("stack", "down", "s")
      }
      let left = try host.leftovers()
      #expect(left == "")
    }
  }

  @Test func daemonsAndForksEndWithTheirStep() throws {
    try TestBuilds.with { host in
      try host.built("FROM base\nRUN (sleep 1000 &); setsid sleep 1000 & echo started")
      #expect(try host.leftovers() == "")
      let outcome = try host.build("FROM base\nRUN f() { f | f & }; f; sleep 1; echo over")
      #expect(outcome.errors.contains("fork") || outcome.status == 0, "\(outcome)")
      #expect(try host.leftovers() == "")
    }
  }

  @Test func aFullDiskIsSaidAndGivenBack() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c", "mkdir -p /var/lib/stack && mount -t tmpfs -o size=24m,mode=700 none /var/lib/stack")
      try host.write(
        "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]",
        to: "base/Dockerfile")
      try host.succeed("cp", "/usr/bin/busybox", "base/busybox")
      try host.succeed("stack", "build", "-q", "-t", "base", "base")
      let step = try host.build("FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=100")
      #expect(step.status == 1 && step.errors.contains("No space left"), "\(step)")
      try host.succeed("dd", "if=/dev/zero", "of=x/big", "bs=1M", "count=100")
      let copy = try host.build("FROM base\nCOPY big /")
      #expect(
        copy.status == 1 && copy.errors.contains("No space left on device")
          && copy.errors.contains("stack build prune"), "\(copy)")
      #expect(try host.leftovers() == "")
      try host.built("FROM base\nRUN echo fits >/small")
    }
  }

  @Test func twoBuildsOfTheSameDoEachStepOnce() throws {
    try TestBuilds.with { host in
      let text = "FROM base\nRUN sleep 1; cat /proc/sys/kernel/random/uuid >/id"
      try host.write(text, to: "x/Dockerfile")
      let builds = try (1...3).map { try host.start(["stack", "build", "-q", "-t", "x\($0)", "x"]) }
      let ids = try builds.map { try $0.wait(limit: .seconds(60)) }
      #expect(Set(ids.map(\.output)).count == 1 && ids.allSatisfy { $0.status == 0 }, "\(ids)")
      #expect(try host.leftovers() == "")
    }
  }
}
