import Foundation
import Testing

/// The calls that join the supervisor's parts: each test fails if one of them is left out.
@Suite struct SupervisionTests {
  @Test func aServiceThatCrashedIsReadyAgainAfterItsRestart() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "x", ["a"], extra: ["a": ["restart: always"]]), named: "x")
      let pid: Int = try host.field("PID", of: "a")
      try host.run("kill", "-9", "\(pid)")
      // Nobody waits for it. It listens, so it is ready.
      #expect(
        try host.eventually { try host.field("State", of: "a") == "running" && host.field("PID", of: "a") != pid })
      #expect(try host.field("Restarts", of: "a") == 1)
    }
  }

  /// The second supervisor was asked for nothing: it only took the stack over.
  @Test func aSupervisorThatAdoptsKeepsNamesAndHostsFiles() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a: {command: [sleep, infinity]}
          b: {command: [sleep, infinity]}
        """, named: "x")
      let address = try host.ipAddress(of: "b")
      func isListed() throws -> Bool {
        try host.succeed("stack", "exec", "-T", "a", "cat", "/etc/hosts").split(separator: "\n")
          .contains { $0.hasPrefix("\(address)\t") || $0.hasPrefix("\(address) ") }
      }
      #expect(try isListed() && host.dig("b.", from: "a") == [address])
      try host.killSupervisors()
      let doctor = try host.run("stack", "doctor", "--fix")
      #expect(doctor.output.contains("done x: has a supervisor again"), "\(doctor)")
      #expect(try host.eventually { try host.dig("b.", from: "a") == [address] })
      try host.run("kill", "-9", "\(host.field("PID", of: "b", as: Int.self))")
      #expect(try host.eventually { try !isListed() && host.status(of: "b.", from: "a") == "NXDOMAIN" })
      try host.succeed("stack", "start", "b")
      #expect(try isListed() && host.dig("b.", from: "a") == [address])
    }
  }

  /// For a moment the leader of a killed process is a zombie while its threads still end.
  @Test func aSupervisorKilledAMomentAgoIsReplaced() throws {
    try ThrowawayHost.with { host in
      try host.up("services: {a: {command: [sleep, infinity]}}", named: "x")
      for _ in 1...8 {
        let pids = try host.stackProcesses().map { "\($0)" }.joined(separator: " ")
        let output = try host.succeed("sh", "-c", "pkill -9 -x stack-watch; kill -9 \(pids); stack doctor --fix; true")
        #expect(output.contains("done x: has a supervisor again"), "\(output)")
      }
    }
  }

  @Test func anotherHealthCheckIsTakenOverWhileTheServiceRuns() throws {
    try ThrowawayHost.with { host in
      func file(_ test: String) -> String {
        "services: {a: {command: [sleep, infinity], healthcheck: {test: \"\(test)\", interval: 100ms, retries: 1}}}"
      }
      try host.up(file("echo former"), named: "x")
      let pid: Int = try host.field("PID", of: "a")
      try host.up(file("echo later; test ! -e /tmp/bad"), named: "x")
      #expect(try host.field("PID", of: "a") == pid)
      #expect(try host.eventually { try host.lastProbe(of: "a") == "later\n" })
      try host.succeed("stack", "exec", "-T", "a", "touch", "/tmp/bad")
      #expect(try host.eventually { try host.field("Health", of: "a") == "unhealthy" })
    }
  }

  @Test func aPausedServiceIsNotProbed() throws {
    try ThrowawayHost.with { host in
      let keys = """
        command: [sleep, infinity], healthcheck: {test: "date +%s.%N", interval: 50ms, timeout: 50ms, retries: 1}
        """
      try host.up("services: {a: {\(keys)}, b: {\(keys)}}", named: "x")
      try host.succeed("stack", "pause", "a")
      let before = try host.lastProbe(of: "a")
      // The other one is probed thirty times meanwhile.
      var times: Set<String> = []
      let isProbed = try host.eventually {
        times.insert(try host.lastProbe(of: "b"))
        return times.count > 30
      }
      #expect(isProbed)
      #expect(try host.lastProbe(of: "a") == before)
      #expect(try host.inspection(of: "a")["status"] as? String == "healthy")
      try host.succeed("stack", "unpause", "a")
      #expect(try host.eventually { try host.lastProbe(of: "a") != before })
      #expect(try host.inspection(of: "a")["status"] as? String == "healthy")
    }
  }

  @Test func aRestartThatFailsIsTriedAgain() throws {
    try ThrowawayHost.with { host in
      try host.write("#!/bin/sh\nexec sleep infinity\n", to: "bin/run")
      try host.succeed("chmod", "755", "bin/run")
      try host.up(
        "services: {a: {command: [/mine/run], restart: always, volumes: [\"./bin:/mine:ro\"]}}", named: "x")
      let pid: Int = try host.field("PID", of: "a")
      try host.succeed("mv", "bin/run", "bin/hidden")
      try host.run("kill", "-9", "\(pid)")
      #expect(try host.eventually { try host.field("Restarts", of: "a") as Int >= 3 })
      #expect(try host.field("State", of: "a") == "restarting")
      #expect(try host.succeed("stack", "logs", "--no-log-prefix", "a").contains("stack: cannot be started again: "))
      try host.succeed("mv", "bin/hidden", "bin/run")
      #expect(try host.eventually { try host.field("State", of: "a") == "running" })
      // One that cannot be started is stopped like any other.
      try host.succeed("mv", "bin/run", "bin/hidden")
      try host.run("kill", "-9", "\(host.field("PID", of: "a", as: Int.self))")
      #expect(try host.eventually { try host.field("State", of: "a") == "restarting" })
      try host.succeed("stack", "stop", "a")
      #expect(try host.field("State", of: "a") == "exited")
    }
  }
}

extension ThrowawayHost {
  /// The output of the last health check of a service.
  fileprivate func lastProbe(of service: String) throws -> String {
    let results = try inspection(of: service)["results"] as? [[String: Any]] ?? []
    return results.last?["output"] as? String ?? ""
  }
}
