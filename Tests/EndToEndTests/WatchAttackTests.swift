import Testing

/// Files of a folder that somebody less trusted writes to while `stack watch` copies from it.
@Suite struct WatchAttackTests {
  /// A service that has the folder, too, puts a link in the place of a folder between the change and the copy. Inside, it has
  /// made what the link leads to, so that the copy has a place.
  @Test func nothingIsCopiedThroughALink() throws {
    try ThrowawayHost.with { host in
      try host.write("host's own", to: "/run/victim/file")
      try host.succeed("mkdir", "-p", "src")
      try host.up(
        """
        name: x
        services:
          a: {command: [sleep, infinity], develop: {watch: [{path: ./src, action: sync, target: /tmp/app}]}}
        """, named: "x")
      try host.succeed("stack", "exec", "-T", "a", "mkdir", "-p", "/run/victim")
      let watch = try host.start(["stack", "-f", "x.stack", "watch", "--no-up"])
      defer { withExtendedLifetime(watch) {} }
      #expect(host.eventually { watch.output.contains("watching") })
      try host.succeed("sh", "-c", "mkdir src/new; echo x >src/new/file; mv src/new src/old; ln -s /run/victim src/new")
      try host.succeed("sh", "-c", "echo last >src/last")
      #expect(
        try host.eventually { try host.run("stack", "exec", "-T", "a", "test", "-e", "/tmp/app/last").status == 0 })
      #expect(try host.succeed("stack", "exec", "-T", "a", "readlink", "/tmp/app/new") == "/run/victim")
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/tmp/app/old/file") == "x")
      #expect(try host.run("stack", "exec", "-T", "a", "test", "-e", "/run/victim/file").status == 1)
    }
  }

  /// The folder itself may be a link, as people have them. It is followed once.
  @Test func aWatchedFolderMayBeALink() throws {
    try ThrowawayHost.with { host in
      try host.succeed("sh", "-c", "mkdir real && ln -s real src && echo one >real/file")
      try host.up(
        """
        name: x
        services:
          a:
            command: [sleep, infinity]
            develop: {watch: [{path: ./src, action: sync, target: /tmp/app, initial_sync: true}]}
        """, named: "x")
      let watch = try host.start(["stack", "-f", "x.stack", "watch", "--no-up"])
      defer { withExtendedLifetime(watch) {} }
      #expect(try host.eventually { try host.run("stack", "exec", "-T", "a", "cat", "/tmp/app/file").output == "one" })
      try host.succeed("sh", "-c", "echo two >src/file")
      #expect(try host.eventually { try host.run("stack", "exec", "-T", "a", "cat", "/tmp/app/file").output == "two" })
    }
  }
}
