import Foundation
import Testing

/// Bad input, as a user gives it: a clear error that names the thing, exit status 1, and the host as before.
@Suite struct InputTests {
  /// Brings each text up, which must be refused with a message that holds `words`, and looks at the host afterwards.
  private func expectRefusals(
    _ cases: [(text: String, words: String)], prepare: (ThrowawayHost) throws -> Void = { _ in }
  ) throws {
    try ThrowawayHost.with { host in
      try prepare(host)
      let before = try HostState(of: host)
      for (text, words) in cases {
        try host.write(text, to: "x.stack")
        let outcome = try host.run("stack", "up", "x.stack", limit: .seconds(60))
        #expect([1, 2].contains(outcome.status), "\(text)\n\(outcome)")
        #expect(outcome.errors.contains(words), "\(text)\n\(outcome)")
        try host.expectUnchanged(since: before)
      }
    }
  }

  private static func service(_ keys: String, name: String = "x") -> String {
    "name: \(name)\nservices:\n  a:\n    \(keys)\n"
  }

  @Test func case13namesThatLeadElsewhereAreRefused() throws {
    let long = String(repeating: "a", count: 4096)
    let stackNames = ["../x", ".", "\"a\\nb\"", "\"a\\0b\"", long, "süß"]
    let serviceNames = ["../a", "..", "a/b", long, "süß"]
    try expectRefusals(
      stackNames.map { (Self.service("command: [sleep, infinity]", name: $0), "error[E") }
        + serviceNames.map { ("name: x\nservices:\n  \"\($0)\": {command: [sleep, infinity]}\n", "error[E") })
  }

  @Test func case14whatIsNoFileIsSaidAtOnce() throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "mkdir folder.stack; mkfifo fifo.stack; head -c 104857600 /dev/zero > large.stack")
      for name in ["folder.stack", "fifo.stack", "large.stack", "missing.stack"] {
        let outcome = try host.run("stack", "up", name, limit: .seconds(20))
        #expect(outcome.status == 2, "\(outcome)")
        #expect(outcome.errors.contains(name), "\(outcome)")
      }
    }
  }

  @Test func case16rootFoldersOfEveryKind() throws {
    let missing = Self.service("rootfs: ./missing\n    command: [/bin/sh]")
    let file = Self.service("rootfs: ./file\n    command: [/bin/sh]")
    let empty = Self.service("rootfs: ./empty\n    command: [/bin/sh]")
    try expectRefusals([(missing, "missing"), (file, "file"), (empty, "/bin/sh")]) { host in
      try host.succeed("sh", "-c", "touch file; mkdir empty")
    }
  }

  @Test func case16pathsWithEveryCharacterWork() throws {
    try ThrowawayHost.with { host in
      let name = #"a b,c:d\e"#
      try host.succeed(
        "sh", "-c", #"mkdir -p "$1/bin" "$1/w" && cp "$(command -v busybox)" "$1/bin/sh" && echo here > "$1/w/page""#,
        "sh", name)
      let text = """
        name: x
        services:
          a:
            rootfs: './\(name)'
            command: [/bin/sh, -c, "cat /w/page /v/page; exec sleep 1000"]
            volumes: [{type: bind, source: './\(name)/w', target: '/v', read_only: true}]
        """
      try host.up(text, named: "x")
      #expect(try host.eventually { try host.succeed("stack", "logs", "--no-log-prefix", "a") == "here\nhere" })
      // The folder under the overlay stays as it is, read-only or not.
      try host.succeed("stack", "exec", "a", "/bin/sh", "-c", "echo new > /w/page")
      #expect(try host.succeed("cat", "\(name)/w/page") == "here")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func case17commandsThatCannotRun() throws {
    let long = String(repeating: "x", count: 200_000)
    let start = "volumes: [\"./bin:/b:ro\"]\n    command: "
    try expectRefusals([
      (Self.service("command: []"), "error[E"),
      (Self.service("command: [\"\"]"), "error"),
      (Self.service(start + "[/b/none]"), "/b/none"),
      (Self.service(start + "[/b/plain]"), "/b/plain"),
      (Self.service(start + "[/b]"), "/b"),
      (Self.service(start + "[/b/lost]"), "/b/lost"),
      (Self.service(start + "[echo, \(long)]"), "shorten the service's command"),
    ]) { host in
      try host.succeed(
        "sh", "-c", "mkdir bin && echo text > bin/plain && printf '#!/no/such\\n' > bin/lost && chmod 755 bin/lost")
    }
  }

  @Test func aFileThatIsMountedOnAFolderIsNamed() throws {
    try ThrowawayHost.with { host in
      try host.write("hello", to: "page")
      try host.write(
        "name: x\nservices:\n  a:\n    command: [sleep, infinity]\n    volumes:\n      - ./page:/etc\n", to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status == 1)
      #expect(
        outcome.errors.contains(
          """
          cannot mount on /etc: Invalid argument
            a file can be mounted on a file alone, a folder on a folder, and /run/throwaway/work/page is a file: \
          correct the volume (x.stack:6)
          """), "\(outcome)")
    }
  }

  @Test func case20aPortInUseIsRefusedWithItsUser() throws {
    try ThrowawayHost.with { host in
      let server = try host.start(["socat", "TCP-LISTEN:8090,bind=127.0.0.1", "SYSTEM:true"])
      #expect(try host.eventually { try host.run("sh", "-c", "ss -ltn | grep -q :8090").status == 0 })
      try host.up(ThrowawayHost.servers(stack: "first", ["a"], extra: ["a": ["ports: [\"8091:80\"]"]]), named: "first")
      let before = try HostState(of: host)
      for (port, user) in [
        ("8090", "socat"), ("127.0.0.1:8090", "socat"), ("8091", "first"), ("127.0.0.1:8091", "first"),
      ] {
        try host.write(
          ThrowawayHost.servers(stack: "x", ["b"], extra: ["b": ["ports: [\"\(port):80\"]"]]), to: "x.stack")
        let outcome = try host.run("stack", "up", "x.stack")
        #expect(outcome.status == 1 && outcome.errors.contains(user), "\(port): \(outcome)")
        try host.expectUnchanged(since: before)
      }
      try host.signal(15, to: server)
      try host.succeed("stack", "down", "first")
    }
  }

  @Test func case21whatHasTheNamesAlreadyStays() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.service("command: [sleep, infinity]"), to: "x.stack")
      let plan = try host.succeed("stack", "up", "--dry-run", "x.stack")
      let bridge = try #require(plan.firstMatch(of: /ip link add (\S+) .*type bridge/)?.1)
      try host.succeed("ip", "link", "add", String(bridge), "type", "veth", "peer", "name", "other")
      try host.succeed("nft", "add", "table", "inet", "stack-x")
      let before = try HostState(of: host)
      let outcome = try host.run("stack", "up", "x.stack")
      if outcome.status == 0 {
        // Others have the names: `stack` chose further ones, and takes down only what is its own.
        try host.succeed("stack", "down", "x")
      } else {
        #expect(outcome.status == 1 && outcome.errors.contains("error"), "\(outcome)")
      }
      let after = try HostState(of: host)
      #expect(after.differences(since: before).filter { $0.contains("links") } == [])
    }
  }

  @Test func case21hostnamesOf64And65Bytes() throws {
    let (fits, tooLong) = (String(repeating: "h", count: 64), String(repeating: "h", count: 65))
    try ThrowawayHost.with { host in
      let outcome = try host.run("sh", "-c", "true")
      #expect(outcome.status == 0)
      for (name, status) in [(fits, Int32(0)), (tooLong, 2)] {
        try host.write(Self.service("hostname: \(name)\n    command: [sleep, infinity]"), to: "x.stack")
        let outcome = try host.run("stack", "up", "x.stack")
        #expect(outcome.status == status, "\(outcome)")
        if status == 0 {
          #expect(try host.succeed("stack", "exec", "a", "hostname") == name)
          try host.succeed("stack", "down", "x")
        }
      }
    }
  }
}
