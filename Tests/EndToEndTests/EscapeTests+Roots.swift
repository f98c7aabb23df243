import Testing

/// Root folders made to lead out, descriptors and programs of the host within reach.
extension EscapeTests {
  /// A root folder with busybox in it, at `root` in the work folder, and an empty folder /run/bait of the host's.
  private func makeRoot(_ host: ThrowawayHost, _ more: String = ":") throws {
    try host.succeed(
      "sh", "-c",
      """
      mkdir -p root/bin root/etc root/proc root/sys root/dev root/tmp /run/bait
      cp $(command -v busybox) root/bin/ && for n in sh ls cat sleep mount umount stat head; do ln -s busybox root/bin/$n; done
      \(more)
      """)
  }

  private static func service(_ keys: String = "") -> String {
    "name: x\nservices: {a: {rootfs: ./root, command: [sleep, infinity]\(keys.isEmpty ? "" : ", " + keys)}}\n"
  }

  /// Fault case 1.
  @Test(arguments: ["proc", "sys", "dev"])
  func kernelFoldersThatAreLinks(_ name: String) throws {
    try ThrowawayHost.with { host in
      try makeRoot(host, "rmdir root/\(name); ln -s /run/bait root/\(name)")
      let before = try HostState(of: host)
      try host.write(Self.service(), to: "x.stack")
      let refused = try host.run("stack", "up", "x.stack")
      #expect(refused.status == 1 && refused.errors.contains("/\(name)"), "\(refused)")
      try host.expectUnchanged(since: before)
      // By the way that follows links, the host is what is mounted on.
      try host.succeed("mount", "-t", "tmpfs", "none", "root/\(name)")
      #expect(try host.run("findmnt", "/run/bait").status == 0)
    }
  }

  /// Fault case 2.
  @Test func mountTargetsThatLeadOut() throws {
    try ThrowawayHost.with { host in
      try makeRoot(
        host,
        "mkdir -p root/run/bait; ln -s /run/bait root/link; ln -s ../../../../../../../../run/bait root/climb; mkdir data"
      )
      try host.up(
        Self.service("volumes: [\"./data:/link/one\", \"./data:/climb/two\", \"./data:/../../../run/bait/three\"]"),
        named: "x")
      #expect(try host.succeed("ls", "-A", "/run/bait") == "")
      #expect(try host.succeed("stack", "exec", "-T", "a", "ls", "/run/bait") == "one\nthree\ntwo")
      try host.succeed("stack", "down", "x")
      try host.succeed("mkdir", "root/link/one")
      #expect(try host.succeed("ls", "-A", "/run/bait") == "one")
    }
  }

  /// Distributions' roots have /etc/resolv.conf as a link into /run, where nothing is before systemd-resolved.
  @Test func linksThatLeadNowhereYet() throws {
    try ThrowawayHost.with { host in
      try makeRoot(
        host,
        """
        mkdir -p root/etc root/var data; echo d >data/f
        rm -f root/etc/resolv.conf root/etc/hosts
        ln -s ../run/systemd/resolve/stub-resolv.conf root/etc/resolv.conf; ln -s /run/bait/hosts root/etc/hosts
        ln -s /srv/data root/var/data; ln -s data root/var/again; ln -s ../../../run/bait/climb root/var/climb
        ln -s round root/var/round
        """)
      try host.up(
        Self.service(
          "volumes: [\"./data:/var/again\", \"./data:/var/climb/in\", \"./data/f:/var/data/g/f\"]"),
        named: "x")
      #expect(try host.succeed("ls", "-A", "/run/bait") == "")
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/etc/resolv.conf").contains("nameserver"))
      for path in ["/srv/data/f", "/var/data/f", "/run/bait/climb/in/f", "/srv/data/g/f"] {
        #expect(try host.succeed("stack", "exec", "-T", "a", "cat", path) == "d", "\(path)")
      }
      try host.succeed("stack", "down", "x")
      try host.write(Self.service("volumes: [\"./data:/var/round/x\"]"), to: "y.stack")
      let circle = try host.run("stack", "up", "y.stack")
      #expect(circle.status == 1 && circle.errors.contains("Too many levels of symbolic links"), "\(circle)")
    }
  }

  /// Fault case 3: masks are made of a null device that the root has no hand in.
  @Test func masksAreNotMadeOfTheRootsOwnDevices() throws {
    try ThrowawayHost.with { host in
      let links = "for n in null console; do ln -s /proc/sys/kernel/core_pattern root/dev/$n; done"
      try makeRoot(host, links)
      let pattern = try host.succeed("cat", "/proc/sys/kernel/core_pattern")
      try host.up(Self.service(), named: "x")
      // Character device 1:3, where the kernel's own file is a regular one.
      #expect(
        try host.succeed("stack", "exec", "-T", "a", "stat", "-c", "%F %t:%T", "/proc/interrupts")
          == "character special file 1:3")
      #expect(try host.succeed("stack", "exec", "-T", "a", "stat", "-c", "%F", "/dev/null") == "character special file")
      #expect(
        try host.run("stack", "exec", "-T", "a", "sh", "-c", "echo x > /proc/sys/kernel/core_pattern").status != 0)
      #expect(try host.succeed("cat", "/proc/sys/kernel/core_pattern") == pattern)
      try host.succeed("stack", "down", "x")
      try host.up(Self.service("privileged: true"), named: "x")
      #expect(try host.succeed("stack", "exec", "-T", "a", "stat", "-c", "%F", "/proc/interrupts").hasPrefix("regular"))
    }
  }

  /// Fault case 4.
  @Test func descriptorsOfTheCallerLeadNowhere() throws {
    try ThrowawayHost.with { host in
      try host.write("name: x\nservices: {a: {command: [sleep, infinity]}}\n", to: "x.stack")
      try host.write(
        "name: y\nservices: {a: {command: [sleep, infinity], working_dir: /proc/self/fd/9}}\n", to: "y.stack")
      // Fifty folders of the host, open and not close-on-exec.
      func holding(_ command: String) throws -> Outcome {
        let script =
          "import os; [os.set_inheritable(os.open('/', os.O_RDONLY), True) for _ in range(50)]; "
          + "os.execvp('sh', ['sh', '-c', '''\(command)'''])"
        return try host.run("python3", "-c", script)
      }
      #expect(try holding("stack up x.stack").status == 0)
      for process in ["1", "2", "self"] {
        let list = try holding("stack exec -T a sh -c \"ls /proc/\(process)/fd\"").lines
        // What ls itself has open while it looks.
        #expect(list.filter { (Int($0) ?? 0) > 6 }.isEmpty, "\(process): \(list)")
      }
      #expect(try holding("stack exec -T a sh -c \"readlink /proc/self/fd/* | grep -c ^/$\"").output == "0")
      #expect(try holding("stack up y.stack").status == 1)
      for number in 3...20 {
        let outcome = try holding("stack exec -T -w /proc/self/fd/\(number) a ls")
        #expect(outcome.status != 0 && outcome.output.isEmpty, "\(number): \(outcome)")
      }
      // Without stack in between they lead to the host's root. Which numbers they have is for what was open before them to say.
      let lists = try holding("for fd in /proc/self/fd/*; do ls $fd/; done").output
      #expect(lists.contains("bin"), "\(lists)")
    }
  }

  /// Fault case 5.
  @Test func programsOfTheHostCannotBeWritten() throws {
    try ThrowawayHost.with { host in
      let files = ["stack", "stack-init"].map { "\(Repository.binaryFolder)/\($0)" }
      let before = try host.succeed("sha256sum", files[0], files[1])
      try host.up(Self.programs, named: "x")
      for service in ["a", "privileged"] {
        for file in ["/proc/1/exe", "/proc/self/exe"] {
          let outcome = try host.run("stack", "exec", "-T", service, "sh", "-c", "echo x >> \(file)")
          #expect(outcome.status != 0, "\(service) \(file): \(outcome)")
        }
      }
      // Not for want of the right to: it is read-only where it is run from. A copy elsewhere is merely in use.
      let refusal = try host.run("stack", "exec", "-T", "privileged", "chmod", "u+x", "/proc/1/exe").errors
      #expect(refusal.contains("Read-only file system"), "\(refusal)")
      #expect(try host.succeed("sha256sum", files[0], files[1]) == before)
      let copy = "cp \(files[1]) /run/copy && { /run/copy sleep 5 & chmod u+x /proc/$!/exe; }"
      #expect(try host.run("sh", "-c", copy).status == 0)
    }
  }

  private static let programs = """
    name: x
    services:
      a: {command: [sleep, infinity]}
      privileged: {command: [sleep, infinity], privileged: true}

    """

  /// Fault case 12.
  @Test func theHostsMountsAreTheSameLineForLine() throws {
    try ThrowawayHost.with { host in
      let mounts = "cat /proc/self/mountinfo"
      let before = try host.succeed("sh", "-c", mounts)
      try makeRoot(host, "mkdir data")
      try host.up(Self.service("volumes: [\"./data:/data\"], tmpfs: [/run]"), named: "x")
      #expect(try host.succeed("sh", "-c", mounts) != before, "the stack's own tmpfs is there while it is up")
      try host.succeed("stack", "exec", "-T", "a", "mount")
      try host.succeed("stack", "down", "x")
      #expect(try host.succeed("sh", "-c", mounts) == before)
    }
  }

  /// The layers of the root are mounted beneath it, read-only. A service reaches them neither by `..` nor by unmounting
  /// the root.
  @Test func whatTheRootIsMadeOfStaysOutOfReach() throws {
    try ThrowawayHost.with { host in
      try host.up(
        "name: x\nservices: {a: {command: [sleep, infinity], cap_add: [SYS_ADMIN], security_opt: [seccomp:unconfined]}}\n",
        named: "x")
      let climb = """
        open(my $f, ">", "/mine"); mkdir("/tmp/d");
        chroot("/tmp/d") or die "chroot: $!"; chdir("..") for 1..64; chroot(".");
        my $root = "/"; print((-e "/mine") ? "own" : "other"); print(syscall(166, $root, 2) == 0 ? " off" : " on");
        print((-e "/mine") ? " own" : " other");
        """
      #expect(try host.succeed("stack", "exec", "-T", "a", "perl", "-e", climb) == "own on own")
      // Where it is not locked, what lies on top comes off and shows what lies beneath.
      let layers =
        "mkdir -p /run/l; for n in 1 2; do mount -t tmpfs none /run/l; touch /run/l/$n; done; umount /run/l; ls /run/l"
      #expect(try host.succeed("sh", "-c", layers) == "1")
    }
  }

  /// A device node that somebody puts into a mount is opened by nobody, whatever the control group permits. Binds of the host
  /// are as the host mounts them.
  @Test func mountsHaveNoDevices() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a: &a
            command: [sleep, infinity]
            volumes: ["data:/data", "/anonymous"]
            tmpfs: [/scratch]
            secrets: [s]
          maker:
            <<: *a
            userns_mode: host
            cap_add: [MKNOD]
        volumes: {data: {}}
        secrets: {s: {content: x}}
        """, named: "x")
      func open(_ service: String) throws -> Set<String> {
        let mounts = try host.succeed("stack", "exec", "-T", service, "cat", "/proc/self/mountinfo")
        let fields = mounts.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let masks: Set = ["/null", "/empty"]
        let open = fields.filter { !masks.contains($0[3]) && !$0[5].split(separator: ",").contains("nodev") }
        return Set(open.map { $0[4] })
      }
      #expect(try open("a") == ["/", "/dev", "/dev/pts"])
      // The service that may make them has them in its own volumes.
      #expect(try open("maker") == ["/", "/dev", "/dev/pts", "/data"])
    }
  }
}
