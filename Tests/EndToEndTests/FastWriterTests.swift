import Foundation
import Testing

/// A service that writes faster than anybody reads.
@Suite struct FastWriterTests {
  private static let text = "name: fast\nservices:\n  y: {command: [\"yes\", \"a line that comes again and again\"]}\n"

  @Test func readersEnd() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "fast")
      #expect(try host.eventually { try Self.size(host) > 5_000_000 })
      #expect(try host.succeed("stack", "logs", "--no-log-prefix", "-n", "5", "y").split(separator: "\n").count == 5)
      // All of it, as of one moment.
      try host.succeed("sh", "-c", "stack logs y >/dev/null", limit: .seconds(120))
      for command in ["logs -f y", "attach y"] {
        // To a file, and to a pipe that nobody empties.
        for output in [">/dev/null", "| sleep 1000"] {
          let script = "exec 3>&1; { stack \(command) </dev/null & echo $! >&3; wait; echo ended >&3; } \(output)"
          let reader = try host.start(["sh", "-c", "\(script) & sleep 1000"])
          #expect(host.eventually { reader.output.contains("\n") || Int(reader.output) != nil })
          usleep(200_000)
          let pid = try #require(reader.output.split(separator: "\n").first)
          try host.succeed("kill", "-INT", "\(pid)")
          #expect(try host.eventually { try host.run("kill", "-0", "\(pid)").status != 0 }, "\(command) \(output)")
          try host.run("pkill", "-x", "sleep")
          _ = try reader.wait(limit: .seconds(60))
        }
      }
      try host.succeed("stack", "down", "fast")
    }
  }

  /// The others' logs are written meanwhile, commands are answered, and the disk holds a bounded part.
  @Test func othersAreNotHeldUp() throws {
    try ThrowawayHost.with { host in
      let writers = ["yes aaaaaaaa", "cat /dev/zero", "cat /dev/urandom"].enumerated().map {
        "  w\($0.offset): {command: [sh, -c, \"exec timeout 20 \($0.element)\"]}\n"
      }
      try host.up(
        "name: fast\nservices:\n\(writers.joined())"
          + "  quiet: {command: [sh, -c, \"while :; do date +%s; sleep 0.2; done\"]}\n", named: "fast")
      for _ in 0..<8 {
        sleep(2)
        let start = ContinuousClock.now
        try host.succeed("stack", "ps", "fast")
        let last = try host.succeed("stack", "logs", "--no-log-prefix", "-n", "1", "quiet")
        let took = ContinuousClock.now - start
        #expect(took < .seconds(5), "\(took)")
        let now = try #require(Int(try host.succeed("date", "+%s")))
        #expect(now - (try #require(Int(last))) <= 5, "the last line is of \(last), it is \(now)")
        #expect(try Self.size(host) < 300_000_000)
      }
      try host.succeed("stack", "down", "fast")
    }
  }

  @Test func aLogThatSomebodyRenamedIsOpenedAnew() throws {
    try ThrowawayHost.with { host in
      let text = "name: x\nservices:\n  a: {command: [sh, -c, \"while :; do date; sleep 0.05; done\"]}\n"
      try host.up(text, named: "x")
      let log = "/var/lib/stack/x/logs/a.log"
      #expect(try host.eventually { try host.run("test", "-s", log).status == 0 })
      try host.succeed("mv", log, "/var/lib/stack/x/logs/a.log-20260101")
      #expect(try host.eventually { try host.run("test", "-s", log).status == 0 })
      try host.succeed("stack", "down", "x")
    }
  }

  private static func size(_ host: ThrowawayHost) throws -> Int {
    Int(try host.succeed("sh", "-c", "cat /var/lib/stack/fast/logs/* 2>/dev/null | wc -c")) ?? 0
  }
}
