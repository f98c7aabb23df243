import Foundation
import Testing

/// kill -9 of the supervisor while services write: they go on, and nothing that they wrote is missing or there twice.
@Suite struct KilledSupervisorTests {
  /// Done when 3 of the runtime's issue, at its full rate: a server that writes a line for each request to standard output.
  @Test func aThousandRequestsASecondLoseNeitherRequestNorLine() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.server, to: "conf/nginx.conf")
      // Twelve connections that ask anew a hundredth of a second after each answer: a little more than 1,000 a second.
      try host.write("function delay() return 10 end\n", to: "rate.lua")
      let text = """
        name: web
        services:
          web1:
            command: [nginx, -c, /conf/nginx.conf]
            volumes: ["./conf:/conf:ro"]
            tmpfs: [/var/log/nginx, /var/lib/nginx]
            ports: ["8081:80"]
        """
      try host.up(text, named: "web")
      let pid: Int = try host.field("PID", of: "web1")
      let load = try host.start(
        ["wrk", "-t1", "-c12", "-d5", "-s", "rate.lua", "--timeout", "20", "http://127.0.0.1:8081/"])
      for _ in 0..<2 {
        let before = try Self.logged(host)
        let isWriting = try host.eventually { try Self.logged(host) > before + 50_000 }
        #expect(isWriting)
        try host.killSupervisors()
        #expect(try host.field("State", of: "web1") == "running")
        #expect(try host.field("PID", of: "web1") == pid)
        usleep(200_000)
        try host.succeed("stack", "up", "web.stack")
      }
      let report = try load.wait(limit: .seconds(60)).output
      // wrk names failures of any kind only when there are some.
      #expect(!report.contains("Socket errors") && !report.contains("Non-2xx"), "\(report)")
      let words = report.split(whereSeparator: \.isWhitespace)
      let place = try #require(words.firstIndex(of: "requests"), "\(report)")
      let answered = try #require(Int(words[place - 1]))
      #expect(answered > 2_000, "\(report)")
      var lines = 0
      // Each connection may have one under way that was answered and not counted any more.
      let isComplete = try host.eventually {
        lines = Int(try host.succeed("sh", "-c", "stack logs --no-log-prefix web1 | grep -c 'GET / '")) ?? 0
        return lines >= answered
      }
      #expect(isComplete && lines <= answered + 12, "\(lines) lines of \(answered) requests")
      #expect(try host.field("PID", of: "web1") == pid)
      try host.succeed("stack", "down", "web")
    }
  }

  /// Octets in the logs of `web`.
  private static func logged(_ host: ThrowawayHost) throws -> Int {
    Int(try host.succeed("sh", "-c", "cat /var/lib/stack/web/logs/* | wc -c")) ?? 0
  }

  private static let server = """
    daemon off;
    worker_processes 1;
    pid /tmp/nginx.pid;
    error_log stderr;
    events { worker_connections 256; }
    http {
      access_log /dev/stdout;
      keepalive_requests 1000000;
      server { listen 80; location / { return 200 "web1\\n"; } }
    }
    """

  /// 400,000 numbered lines, in bursts.
  private static let counter = """
    name: x
    services:
      loud:
        command:
          - sh
          - -c
          - |
            for k in $$(seq 0 39); do seq $$((k * 10000 + 1)) $$((k * 10000 + 10000)); sleep 0.1; done
            exec sleep 1000
    """

  @Test func noOutputIsLostHoweverOftenItIsKilled() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.counter, named: "x")
      for round in 0..<12 {
        usleep(useconds_t(40_000 + 17_000 * round))
        try host.killSupervisors()
        try host.succeed("stack", "up", "x.stack")
      }
      try Self.expectAllLines(host)
    }
  }

  /// The windows between one system call and the next, each hit by strace's injection of SIGKILL at the call that ends it.
  @Test(arguments: ["splice", "pread64", "pwrite64", "write", "ftruncate", "epoll_wait"])
  func noOutputIsLostWhenItIsKilledAtACall(_ call: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.counter, to: "x.stack")
      for count in [1, 2, 3, 5, 8, 13, 34] {
        let tracer = [
          "strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
          "inject=\(call):signal=KILL:when=\(count)",
        ]
        // Whether it was the command or its supervisor that was hit: the next one goes on.
        _ = try host.start(tracer + ["stack", "up", "x.stack"]).wait(limit: .seconds(60))
        usleep(200_000)
        // It follows the service too, which would be hit as it executes its last program.
        try host.run("pkill", "-9", "-x", "strace")
        try host.endSupervisors()
      }
      try host.succeed("stack", "up", "x.stack")
      try Self.expectAllLines(host)
    }
  }

  private static func expectAllLines(_ host: ThrowawayHost) throws {
    let isThere = try host.eventually(within: .seconds(60)) {
      try host.run("stack", "logs", "--no-log-prefix", "-n", "1", "loud").output == "400000"
    }
    let difference = try host.succeed(
      "bash", "-c", "diff <(seq 400000) <(stack logs --no-log-prefix loud) | head -5", limit: .seconds(60))
    #expect(isThere && difference.isEmpty, "\(difference)")
    try host.succeed("stack", "down", "x")
  }

  @Test func doctorHasAnotherTakeOverAndStartsNothing() throws {
    try ThrowawayHost.with { host in
      try host.up("services: {a: {command: [sleep, '1000']}, b: {command: [sleep, '1000']}}", named: "d")
      try host.succeed("stack", "stop", "b")
      let pid: Int = try host.field("PID", of: "a")
      try host.killSupervisors()
      #expect(try host.run("stack", "doctor").output.contains("stack doctor --fix"))
      #expect(try host.run("stack", "doctor", "--fix").output.contains("done d: has a supervisor again"))
      #expect(try host.run("stack", "doctor").output.contains("nothing is left of stacks that are gone"))
      #expect(try host.field("PID", of: "a") == pid)
      #expect(try host.field("State", of: "b") == "exited")
      try host.succeed("stack", "down", "d")
    }
  }
}
