import Testing

/// No service can use up another's share of storage, terminals or DNS answers.
@Suite struct ShareTests {
  @Test func rootAndTemporaryFilesHaveASizeAndCountAsMemory() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: x
        services:
          small: {command: [sleep, infinity], mem_limit: 128m, tmpfs: [/own]}
          sized: {command: [sleep, infinity], storage_opt: {size: 8m}}
          anonymous: {command: [sleep, infinity], storage_opt: {size: 8m}, volumes: [/data]}
          other: {command: [sleep, infinity]}

        """, named: "x")
      func fill(_ service: String, _ path: String) throws -> Outcome {
        try host.run("stack", "exec", "-T", service, "sh", "-c", "head -c 100M /dev/zero >\(path)")
      }
      func megabytes(_ service: String, _ path: String) throws -> Int {
        (Int(try host.succeed("stack", "exec", "-T", service, "stat", "-c", "%s", path)) ?? 0) >> 20
      }
      for (service, paths, size) in [
        ("small", ["/big", "/tmp/big", "/own/big"], 31...32), ("sized", ["/big", "/tmp/big"], 7...8),
        ("anonymous", ["/data/big"], 7...8),
      ] {
        for path in paths {
          let outcome = try fill(service, path)
          #expect(outcome.errors.contains("No space left on device"), "\(service) \(path): \(outcome)")
          #expect(try size.contains(megabytes(service, path)), "\(service) \(path)")
        }
      }
      // Neither does it take inodes without end.
      let many = "i=0; while mkdir /tmp/d$i 2>/dev/null; do i=$((i+1)); [ $i -lt 100000 ] || exit 9; done"
      #expect(try host.run("stack", "exec", "-T", "sized", "sh", "-c", "rm /tmp/big; \(many)").status == 0)
      let used = try host.succeed(
        "sh", "-c",
        "cat $(find /sys/fs/cgroup -path '*/stack/x/small/memory.usage_in_bytes' -o -path '*/stack/x/small/memory.current')"
      )
      #expect(Int(used).map { $0 > 90 << 20 } == true, "\(used)")
      // The others have theirs, and what was written is there after a restart.
      try host.succeed("stack", "exec", "-T", "other", "sh", "-c", "head -c 20M /dev/zero >/big")
      try host.succeed("stack", "restart", "-t", "0", "sized")
      #expect(try (7...8).contains(megabytes("sized", "/big")))
      #expect(try host.succeed("stack", "exec", "-T", "sized", "sh", "-c", "rm /big; ls /tmp") == "")
      // Made anew, the service has none of it.
      try host.succeed("stack", "up", "--force-recreate", "-t", "0", "x.stack")
      #expect(try host.run("stack", "exec", "-T", "anonymous", "ls", "/data/big").status != 0)
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func terminalsRunOutForOneServiceAlone() throws {
    try ThrowawayHost.with { host in
      try host.up(
        "name: x\nservices: {a: {command: [sleep, infinity]}, b: {command: [sleep, infinity], tty: true}}\n", named: "x"
      )
      let opening = """
        import os
        held = []
        try:
            while len(held) < 6000:
                held.append(os.open("/dev/ptmx", os.O_RDWR))
        except OSError as error:
            print(len(held), error.strerror, flush=True)
        import time; time.sleep(20)
        """
      let holder = try host.start(["stack", "exec", "-T", "a", "python3", "-c", opening])
      #expect(host.eventually { holder.output.contains("256 No space left on device") }, "\(holder.output)")
      #expect(try host.succeed("script", "-qec", "stack exec b tty", "/dev/null").contains("/dev/pts/"))
      #expect(try host.succeed("script", "-qec", "tty", "/dev/null").contains("/dev/pts/"))
      let refused = try host.run("script", "-qec", "stack exec a tty", "/dev/null")
      #expect(refused.output.contains("No space left on device"), "\(refused)")
    }
  }

  /// A flood of questions, of names of the stack and of others, in datagrams and by connections that say nothing.
  @Test(arguments: ["elsewhere", "other", "silent"])
  func answersAreSharedOut(_ kind: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.questions, to: "ask.py")
      try host.up(
        """
        name: x
        services:
          evil: {command: [sleep, infinity], cap_drop: [ALL], volumes: ["./ask.py:/ask.py:ro"]}
          other: {command: [sleep, infinity], volumes: ["./ask.py:/ask.py:ro"]}

        """, named: "x")
      let flood = try host.start(["stack", "exec", "-T", "evil", "python3", "/ask.py", kind])
      #expect(host.eventually { flood.output.contains("began") })
      let asked = try host.succeed("stack", "exec", "-T", "other", "python3", "/ask.py", "count")
      // Of 100, each asked once. All of them, if the machine has nothing else to do.
      let parts = asked.split(separator: " ").compactMap { Int($0) }
      #expect(parts.count == 2 && parts[0] >= 98 && parts[1] > 0, "\(kind): \(asked)")
      try host.signal(9, to: flood)
      _ = try flood.wait(limit: .seconds(60))
    }
  }

  /// Each has a queue of its own, however many flood at once.
  @Test func answersAreSharedOutAmongManyWhoFlood() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.questions, to: "ask.py")
      try host.up(
        """
        name: x
        services:
          evil: {command: [python3, /ask.py, other], scale: 24, volumes: ["./ask.py:/ask.py:ro"]}
          other: {command: [sleep, infinity], volumes: ["./ask.py:/ask.py:ro"]}

        """, named: "x")
      #expect(host.eventually { (try? host.succeed("stack", "logs", "x/evil-24").contains("began")) ?? false })
      let asked = try host.succeed("stack", "exec", "-T", "other", "python3", "/ask.py", "count")
      let answered = asked.split(separator: " ").first.flatMap { Int($0) }
      #expect((answered ?? 0) >= 98, "\(asked)")
    }
  }

  private static let questions = """
    import re, socket, struct, sys, time
    gateway = re.search(r"nameserver (\\S+)", open("/etc/resolv.conf").read()).group(1)
    def question(number, name):
        labels = b"".join(bytes([len(part)]) + part for part in name.split(b"."))
        return struct.pack("!6H", number & 65535, 0x100, 1, 0, 0, 0) + labels + b"\\0\\0\\x01\\0\\x01"
    if sys.argv[1] == "count":
        answered = 0
        for number in range(100):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(1)
            s.sendto(question(number, b"other"), (gateway, 53))
            try:
                answered += len(s.recv(999)) > 12
            except OSError:
                pass
            time.sleep(0.01)
        s = socket.create_connection((gateway, 53), 3)
        message = question(1, b"other")
        s.sendall(struct.pack("!H", len(message)) + message)
        print(answered, len(s.recv(99)))
        sys.exit()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    held, number, end = [], 0, time.monotonic() + 20
    print("began", flush=True)
    while time.monotonic() < end:
        number += 1
        try:
            if sys.argv[1] == "silent":
                c = socket.create_connection((gateway, 53), 0.3)
                c.sendall(b"\\x10")
                held.append(c)
                if len(held) > 900:
                    held.pop(0).close()
            else:
                name = b"other" if sys.argv[1] == "other" else b"%08d.test" % number
                s.sendto(question(number, name), (gateway, 53))
        except OSError:
            pass

    """
}
