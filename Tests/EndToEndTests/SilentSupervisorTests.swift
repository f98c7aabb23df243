import Foundation
import Testing

/// A supervisor that stands still: commands say who does not answer, and since when.
@Suite struct SilentSupervisorTests {
  @Test func commandsSayWhoDoesNotAnswer() throws {
    try ThrowawayHost.with { host in
      try host.up("name: two\nservices:\n  a: {command: [sleep, infinity]}\n", named: "two")
      let supervisor = try #require(try host.stackProcesses().last)
      try host.succeed("kill", "-STOP", "\(supervisor)")
      for command in [["restart", "a"], ["up", "two.stack"], ["down", "two"]] {
        let outcome = try host.start(["stack"] + command).wait(limit: .seconds(60))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("its supervisor (pid \(supervisor)) has not answered since 20"), "\(outcome)")
        #expect(outcome.errors.contains("kill -CONT \(supervisor)"), "\(outcome)")
      }
      #expect(try host.field("State", of: "a") == "running")
      let doctor = try host.run("stack", "doctor")
      #expect(doctor.status == 1)
      #expect(doctor.output.contains("the supervisor of stack two (pid \(supervisor)) does not answer: it is stopped"))
      try host.succeed("kill", "-CONT", "\(supervisor)")
      try host.succeed("stack", "down", "two")
    }
  }

  @Test func whatEndsMeanwhileIsNotSaidToRun() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        services:
          a: {command: [sleep, infinity], init: false}
          b: {command: [sleep, infinity], init: false}
        """, named: "two")
      let supervisor = try #require(try host.stackProcesses().last)
      let pid: Int = try host.field("PID", of: "a")
      try host.succeed("kill", "-STOP", "\(supervisor)")
      // Nobody waits for it: it stays a zombie.
      try host.succeed("kill", "-KILL", "\(pid)")
      #expect(host.eventually { (try? host.field("State", of: "a")) == "exited" })
      #expect(try host.field("ExitCode", of: "a") == 137)
      #expect(try host.field("State", of: "b") == "running")
      try host.succeed("kill", "-CONT", "\(supervisor)")
      try host.succeed("stack", "down", "two")
    }
  }

  @Test func aCommandSaysWhoHoldsTheLock() throws {
    try ThrowawayHost.with { host in
      try host.up("name: two\nservices:\n  a: {command: [sleep, infinity]}\n", named: "two")
      let holder = try host.start(["flock", "/run/stack/.host/two.lock", "sh", "-c", "echo $PPID; exec sleep 1000"])
      #expect(host.eventually { holder.output.contains("\n") || Int(holder.output) != nil })
      let pid = try #require(holder.output.split(separator: "\n").first)
      try host.succeed("kill", "-STOP", "\(pid)")
      let outcome = try host.run("stack", "restart", "a")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.errors.contains("process \(pid) has it and is stopped"), "\(outcome)")
      try host.succeed("kill", "-KILL", "\(pid)")
      try host.run("pkill", "-x", "-f", "sleep 1000")
    }
  }
}
