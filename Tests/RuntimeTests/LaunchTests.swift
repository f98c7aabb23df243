import CLinux
import Foundation
import Glibc
import SystemPackage
import Testing
@testable import Kernel
@testable import Runtime

/// Launches `spec` with its output in a file, waits, and answers the output and how it ended.
func output(of spec: ContainerSpec, in root: BusyboxRoot) throws -> (text: String, status: TerminationStatus) {
  var spec = spec
  let file = try FileDescriptor.open(
    FilePath("\(root.folder)/output"), .readWrite, options: [.create, .truncate, .append],
    permissions: FilePermissions(rawValue: 0o600))
  defer { try? file.close() }
  spec.stdio.output = .descriptor(file)
  spec.stdio.error = .descriptor(file)
  let launcher = try ContainerLauncher(initPath: InitProgram.path)
  let process = try launcher.launch(spec)
  let status = try #require(try ProcessHandle.wait(for: process.pidfd))
  return (try root.read("output"), status)
}

@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
struct LaunchTests {
  let root: BusyboxRoot

  init() throws { root = try BusyboxRoot() }

  func spec(_ script: String) -> ContainerSpec {
    ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", script]))
  }

  @Test func namesAreItsOwn() throws {
    var spec = spec("hostname; cat /proc/sys/kernel/domainname")
    spec.domainname = "example"
    let before = Shell.run("hostname").output
    #expect(try output(of: spec, in: root).text == "web1\nexample\n")
    #expect(Shell.run("hostname").output == before)
  }

  @Test(arguments: [true, false])
  func processesAreItsOwn(usesInit: Bool) throws {
    var spec = spec("for p in /proc/[0-9]*; do echo ${p#/proc/}; done; :")
    spec.usesInit = usesInit
    #expect(try output(of: spec, in: root).text == (usesInit ? "1\n2\n" : "1\n"))
  }

  @Test func joinsTheNetworkNamespace() throws {
    let network = try NetworkNamespace.create(disablesIPv6: true)
    var spec = spec("ip -o addr; ls /sys/class/net; cat /proc/sys/net/ipv6/conf/default/disable_ipv6")
    spec.networkNamespace = network.descriptor.fileDescriptor
    let text = try output(of: spec, in: root).text
    #expect(text.hasPrefix("1: lo    inet 127.0.0.1/8"))
    #expect(text.hasSuffix("lo\n1\n"))
    #expect(!text.contains("inet6"))
  }

  @Test func environmentIsTheGivenOneOnly() throws {
    var spec = spec("env")
    spec.process.environment = ["A=b c", "TERM=dumb"]
    let lines = try output(of: spec, in: root).text.split(separator: "\n").filter {
      !$0.hasPrefix("SHLVL") && !$0.hasPrefix("PWD")
    }
    #expect(
      Set(lines) == [
        "A=b c", "TERM=dumb", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ])
  }

  @Test func devicesAreThePrivateOnes() throws {
    let text = try output(of: spec("echo x > /dev/null && head -c 2 /dev/zero | wc -c; cd /dev; echo *"), in: root).text
    #expect(
      text == "2\nfd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n")
  }

  @Test func kernelPathsAreMaskedOrReadOnly() throws {
    let script = """
      for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do wc -c < $f; done
      ls /sys/firmware | wc -l
      for f in /proc/sys/kernel/core_pattern /sys/kernel/uevent_helper; do
        (echo x > $f) 2>/dev/null && echo "wrote $f"
      done
      """
    let text = try output(of: spec(script), in: root).text
    #expect(!text.contains("wrote"))
    #expect(
      text.split(separator: "\n").allSatisfy { $0 == "0" || $0.contains("nonexistent") || $0.contains("can't open") })
  }

  @Test func mountsAreBelowItsRootOnly() throws {
    var spec = spec("cat /proc/self/mountinfo")
    spec.mounts = [
      .bind(root.folder, at: "/data/deep", readOnly: true), .tmpfs(at: "/cache", size: 65536, mode: 0o700),
    ]
    let text = try output(of: spec, in: root).text
    let points = text.split(separator: "\n").map { $0.split(separator: " ")[4] }
    #expect(points.first == "/")
    #expect(points.contains("/data/deep") && points.contains("/cache"))
    #expect(
      points.allSatisfy {
        $0 == "/" || $0.hasPrefix("/proc") || $0.hasPrefix("/sys") || $0.hasPrefix("/dev")
          || ["/tmp", "/data/deep", "/cache"].contains($0)
      })
    #expect(!text.contains("shared:") && !text.contains("master:"))
  }

  @Test func bindsAndTmpfs() throws {
    try root.write("hosts\n", to: "hosts")
    var spec = spec(
      """
      cat /etc/hosts /data/hosts
      touch /data/new 2>/dev/null || echo read-only
      echo more >> /etc/hosts
      stat -c %a /cache; touch /cache/x && echo ok; touch /tmp/y && mount | grep -c ' /tmp '
      """)
    spec.mounts = [
      .bind("\(root.folder)/hosts", at: "/etc/hosts"), .bind(root.folder, at: "/data", readOnly: true),
      .tmpfs(at: "/cache", mode: 0o700), .tmpfs(at: "/tmp/", mode: 0o1777),
    ]
    #expect(try output(of: spec, in: root).text == "hosts\nhosts\nread-only\n700\nok\n1\n")
    #expect(try root.read("hosts") == "hosts\nmore\n")
  }

  @Test(arguments: [true, false])
  func readOnlyRoot(direct: Bool) throws {
    var spec = spec("touch /x 2>/dev/null || echo refused; touch /tmp/x && echo ok; pwd")
    if direct { spec.root = .direct(root.lower) }
    spec.readOnlyRoot = true
    spec.process.workingDirectory = "/srv/app/../made"
    if direct {
      // The folder is used as it is, so what is missing in it is made in it.
      try #require(mkdir("\(root.lower)/tmp", 0o1777) == 0)
    }
    #expect(try output(of: spec, in: root).text == "refused\nok\n/srv/made\n")
  }

  @Test func overlayKeepsTheLowerFolder() throws {
    _ = try output(of: spec("echo changed > /etc/passwd; touch /new"), in: root)
    #expect(try root.read("lower/etc/passwd").hasPrefix("root:"))
    #expect(try root.read("upper/etc/passwd") == "changed\n")
  }

  @Test(arguments: ["a:b", "a,b", "a\\b", "a b", "a=b#c", String(repeating: "long", count: 60)])
  func overlayPathsOfAnyShape(name: String) throws {
    for part in [name, "\(name)/lower", "\(name)/upper", "\(name)/work"] {
      try #require(mkdir("\(root.folder)/\(part)", 0o755) == 0)
    }
    let folder = "\(root.folder)/\(name)"
    try #require(Shell.run("cp -a '\(root.lower)/.' '\(folder)/lower/'").status == 0)
    var spec = spec("echo ok > /made")
    spec.root = .overlay(lower: ["\(folder)/lower"], upper: "\(folder)/upper", work: "\(folder)/work")
    #expect(try output(of: spec, in: root).status == .exited(code: 0))
    #expect(try root.read("\(name)/upper/made") == "ok\n")
  }

  @Test(
    arguments: [
      ("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$; sleep 5", 143), ("nosuch", 127),
    ] as [(String, Int32)], [true, false])
  func exitStatus(_ example: (script: String, code: Int32), usesInit: Bool) throws {
    // Process 1 takes no deadly signal from itself.
    if !usesInit && example.script.contains("kill") { return }
    var spec = spec(example.script)
    spec.usesInit = usesInit
    let record = "\(root.folder)/record"
    let file = try FileDescriptor.open(
      FilePath(record), .writeOnly, options: [.create], permissions: FilePermissions(rawValue: 0o600))
    defer { try? file.close() }
    spec.exitRecord = file
    #expect(try ExitRecord.read(record) == nil)
    #expect(try output(of: spec, in: root).status.shellCode == example.code)
    if usesInit {
      let entry = try #require(try ExitRecord.read(record))
      #expect(entry.status.shellCode == example.code)
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      #expect(abs(Int64(now.tv_sec) - entry.time / 1_000_000_000) < 60)
    }
  }

  @Test(
    arguments: [
      ("nosuch", 127), ("/bin/nosuch", 127), ("/etc/passwd", 126), ("/etc", 126), ("", 127), ("/bin/script", 127),
    ] as [(String, Int32)], [true, false])
  func commandThatCannotBeExecuted(_ example: (command: String, code: Int32), usesInit: Bool) throws {
    try root.write("#!/no/such/interpreter\n", to: "lower/bin/script")
    try #require(chmod("\(root.lower)/bin/script", 0o755) == 0)
    var spec = spec("")
    spec.process.arguments = [example.command, "x"]
    spec.usesInit = usesInit
    let error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.execShellCode == example.code)
    #expect(error?.subject == example.command)
  }

  @Test func argumentListTooLong() throws {
    var spec = spec("")
    spec.process.arguments = ["true", String(repeating: "x", count: 1 << 20)]
    let error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.errno.rawValue == E2BIG)
  }

  @Test(
    arguments: [
      ("web", "33 44 44 45 46"), ("33", "33 44 44 45 46"), ("web:root", "33 0 0"), ("7", "7 0 0"),
      ("7:8", "7 8 8"), ("root", "0 0 0 46"), ("", "0 0 0"),
    ])
  func user(_ example: (user: String, ids: String)) throws {
    var spec = spec("echo $(id -u) $(id -g) $(id -G)")
    spec.process.user = example.user
    #expect(try output(of: spec, in: root).text == example.ids + "\n")
  }

  @Test func homeOfTheUser() throws {
    var spec = spec("echo $HOME; grep -E 'CapEff|Uid' /proc/1/status; touch /x 2>/dev/null || echo refused")
    spec.process.user = "web"
    let text = try output(of: spec, in: root).text
    #expect(text.hasPrefix("/srv/web\nUid:\t33\t33\t33\t33\nCapEff:\t0000000000000000\n"))
    #expect(text.hasSuffix("refused\n"))
  }

  @Test func outputOpensAgainWhoeverTheUser() throws {
    try #require(mkfifo("\(root.folder)/fifo", 0o600) == 0)
    var spec = spec("echo again > /dev/stdout; echo end")
    spec.process.user = "web"
    spec.stdio.output = .fifo("\(root.folder)/fifo")
    let reader = try FileDescriptor.open(FilePath("\(root.folder)/fifo"), .readWrite)
    defer { try? reader.close() }
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    let process = try launcher.launch(spec)
    #expect(try line(from: reader) == "again")
    #expect(try ProcessHandle.wait(for: process.pidfd) == .exited(code: 0))
  }

  /// Whoever the container's user is: none of its own changes opens the caller again.
  @Test func callerIsNotDumpable() throws {
    for user in ["0", "33"] {
      var spec = spec("true")
      spec.process.user = user
      _ = try output(of: spec, in: root)
      #expect(stack_is_dumpable() == 0)
    }
  }

  @Test func unknownUser() throws {
    var spec = spec("")
    spec.process.user = "nobody"
    let error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.action == "find user" && error?.subject == "nobody")
  }

  @Test(arguments: [true, false])
  func descriptorsOfTheCallerAreClosed(usesInit: Bool) throws {
    var leaked: [CInt] = []
    for _ in 0..<50 { leaked.append(open("/", O_RDONLY | O_DIRECTORY)) }
    defer { for number in leaked { close(number) } }
    var spec = spec("for p in /proc/self/fd/*; do readlink $p >/dev/null && echo ${p##*/}; done; ls /proc/1/fd")
    spec.usesInit = usesInit
    let text = try output(of: spec, in: root).text
    // sh itself holds 10 for the script in some builds: what counts is that nothing leads to a folder of the host.
    #expect(text.hasPrefix("0\n1\n2\n"))
    let list = try output(of: self.spec("ls -l /proc/self/fd"), in: root).text
    #expect(list.split(separator: "\n").filter { $0.contains("->") }.count <= 4)
    for number in 3...60 {
      var attempt = self.spec("pwd")
      attempt.usesInit = usesInit
      attempt.process.workingDirectory = "/proc/self/fd/\(number)"
      #expect(throws: KernelError.self) { try output(of: attempt, in: root) }
    }
  }

  @Test func initForwardsSignals() throws {
    try #require(mkfifo("\(root.folder)/fifo", 0o600) == 0)
    var spec = spec("trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.01; done")
    spec.stdio.output = .fifo("\(root.folder)/fifo")
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    let reader = try FileDescriptor.open(FilePath("\(root.folder)/fifo"), .readWrite)
    defer { try? reader.close() }
    let process = try launcher.launch(spec)
    #expect(try line(from: reader) == "ready")
    try ProcessHandle.send(SIGTERM, to: process.pidfd)
    #expect(try line(from: reader) == "caught")
    #expect(try ProcessHandle.wait(for: process.pidfd) == .exited(code: 7))
  }

  @Test func initReapsOrphans() throws {
    let script = """
      (sleep 0.05 & sleep 0.05 & (sleep 0.02 &) )
      i=0; while [ $i -lt 500 ] && grep -qs '^sleep$' /proc/[0-9]*/comm; do i=$((i + 1)); sleep 0.01; done
      for p in /proc/[0-9]*; do grep -h State $p/status; done | grep -c zombie
      """
    #expect(try output(of: spec(script), in: root).text == "0\n")
  }

  @Test func killEndsAll() throws {
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    let process = try launcher.launch(spec("sleep 1000 & sleep 1000"))
    #expect(try ProcessHandle.wait(for: process.pidfd, block: false) == nil)
    try ProcessHandle.send(SIGKILL, to: process.pidfd)
    #expect(try ProcessHandle.wait(for: process.pidfd) == .signaled(signal: SIGKILL, coreDumped: false))
    #expect(throws: KernelError.self) { try ProcessHandle.send(0, to: process.pidfd) }
    #expect(try process.identity.open() == nil)
  }

  @Test(arguments: [true, false])
  func terminal(usesInit: Bool) throws {
    var spec = spec("tty; readlink /proc/self/fd/1; test -t 0 && read line && echo got $line")
    spec.stdio.terminal = true
    spec.usesInit = usesInit
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    let process = try launcher.launch(spec)
    let master = FileDescriptor(rawValue: process.terminalNumber)
    #expect(master.rawValue >= 0)
    #expect(try line(from: master) == "/dev/pts/0")
    #expect(try line(from: master) == "/dev/pts/0")
    if usesInit {
      // A parent that was not there at the start gets at it too.
      let again = try ProcessHandle.terminal(of: process.pidfd)
      _ = try again.fileDescriptor.writeAll("hello\n".utf8)
    } else {
      _ = try master.writeAll("hello\n".utf8)
    }
    #expect(try line(from: master) == "hello")
    #expect(try line(from: master) == "got hello")
    #expect(try ProcessHandle.wait(for: process.pidfd) == .exited(code: 0))
  }

  @Test func hostMountTableStaysTheSame() throws {
    let before = Shell.run("cat /proc/self/mountinfo").output
    var spec = spec("mount -t tmpfs x /mnt 2>/dev/null; umount -l /tmp; :")
    spec.mounts = [.bind("/usr", at: "/usr", readOnly: true, recursive: true)]
    for _ in 0..<3 { _ = try output(of: spec, in: root) }
    #expect(Shell.run("cat /proc/self/mountinfo").output == before)
  }

  @Test func failureNamesWhatFailed() throws {
    var spec = spec("")
    spec.mounts = [.bind("/no/such/folder", at: "/data")]
    var error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.subject == "/no/such/folder" && error?.errno == .noSuchFileOrDirectory)
    spec.mounts = []
    spec.root = .direct("\(root.folder)/missing")
    error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.subject == "\(root.folder)/missing")
    spec.root = .overlay(lower: [root.lower], upper: root.upper, work: "/proc")
    error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.action == "mount" && error?.subject.contains(root.lower) == true)
    spec.root = root.overlay
    spec.hostname = String(repeating: "h", count: 65)
    error = #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    #expect(error?.action == "set hostname" && error?.errno == .invalidArgument)
    spec.hostname = "a\0b"
    #expect(throws: KernelError.self) { try output(of: spec, in: root) }
  }

  @Test func nothingIsLeftOpen() async {
    // In a process of its own: other tests open and close meanwhile.
    await #expect(processExitsWith: .success) {
      let root = try BusyboxRoot()
      let launcher = try ContainerLauncher(initPath: nil)
      var spec = ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["true"]))
      spec.usesInit = false
      var bad = spec
      bad.process.arguments = ["nosuch"]
      func round() throws {
        let process = try launcher.launch(spec)
        _ = try ProcessHandle.wait(for: process.pidfd)
        #expect(throws: KernelError.self) { _ = try launcher.launch(bad) }
      }
      try round()
      // Counted here and not by a child: popen(3) still holds the child's end of its pipe when that begins to run.
      func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
      }
      let before = try openDescriptors()
      for _ in 0..<5 { try round() }
      try #require(openDescriptors() == before)
      try #require(Shell.run("pgrep -P \(getpid()) true").output.isEmpty)
    }
  }
}

/// One line, without its end; carriage returns of a terminal are dropped.
func line(from descriptor: FileDescriptor) throws -> String {
  var bytes: [UInt8] = []
  for _ in 0..<4096 {
    var ready = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    try #require(poll(&ready, 1, 5000) == 1, "nothing to read, after \(String(decoding: bytes, as: UTF8.self))")
    var byte: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &byte) { try descriptor.read(into: $0) }
    if count == 0 || byte == UInt8(ascii: "\n") { break }
    if byte != UInt8(ascii: "\r") { bytes.append(byte) }
  }
  return String(decoding: bytes, as: UTF8.self)
}

extension LaunchedProcess {
  var terminalNumber: CInt {
    switch terminal {
    case .some(let terminal): terminal.rawValue
    case .none: -1
    }
  }
}
