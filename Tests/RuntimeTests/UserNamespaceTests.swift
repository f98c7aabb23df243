import Glibc
import SystemPackage
import Testing
@testable import Isolation
@testable import Kernel
@testable import Runtime

/// Containers whose root is nobody outside.
@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
struct UserNamespaceTests {
  let root: BusyboxRoot
  let range = IdentityRange(first: 1_048_576)

  init() throws { root = try BusyboxRoot() }

  /// Runs a script in a container with a user namespace, as `user`, and answers what it said.
  private func run(
    _ script: String, as user: String? = nil, _ change: (inout ContainerSpec) -> Void = { _ in }
  ) throws -> String {
    let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
    let users = try UserNamespace(owning: network, range: range)
    var spec = ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", script]))
    spec.process.user = user
    spec.networkNamespace = network.descriptor.fileDescriptor
    spec.identities = users.identities
    change(&spec)
    return try output(of: spec, in: root).text
  }

  private func owners(_ paths: String) -> String {
    Shell.run("cd \(root.folder) && stat -c '%n %u:%g' \(paths)").output
  }

  @Test func rootIsNobodyOutside() throws {
    let text = try run(
      "cat /proc/self/uid_map /proc/self/gid_map; id -u; stat -c %u:%g / /bin/busybox /etc/passwd /dev")
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines == ["0 1048576 65536", "0 1048576 65536", "0", "0:0", "0:0", "0:0", "0:0"])
  }

  @Test(arguments: [true, false])
  func processesHaveTheIdsOfTheRange(usesInit: Bool) throws {
    let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
    let users = try UserNamespace(owning: network, range: range)
    var spec = ContainerSpec(
      hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", "echo x; sleep 60"]))
    spec.process.user = "web"
    spec.usesInit = usesInit
    spec.networkNamespace = network.descriptor.fileDescriptor
    spec.identities = users.identities
    let process = try ContainerLauncher(initPath: InitProgram.path).launch(spec)
    let status = Shell.run("grep -E '^(Uid|Gid|Groups):' /proc/\(process.pid)/status").output
    try ProcessHandle.send(SIGKILL, to: process.pidfd)
    _ = try ProcessHandle.wait(for: process.pidfd)
    let (user, group) = (range.first + 33, range.first + 44)
    #expect(status.contains("Uid:\t\(user)\t\(user)\t\(user)\t\(user)\n"))
    #expect(status.contains("Gid:\t\(group)\t\(group)\t\(group)\t\(group)\n"))
    #expect(status.contains("Groups:\t\(range.first + 45) \(range.first + 46)"))
  }

  @Test func filesKeepTheirIdsOnDisk() throws {
    try #require(mkdir("\(root.folder)/data", 0o755) == 0)
    try root.write("mine\n", to: "data/mine")
    try #require(lchown("\(root.folder)/data/mine", 33, 44) == 0)
    let text = try run("stat -c %u:%g /data /data/mine; touch /data/new; chmod 600 /data/mine; ln /data/new /data/hard")
    {
      $0.mounts = [.bind("\(root.folder)/data", at: "/data")]
    }
    #expect(text == "0:0\n33:44\n")
    #expect(owners("data/mine data/new data/hard") == "data/mine 33:44\ndata/new 0:0\ndata/hard 0:0\n")
  }

  @Test func writableLayerIsTheContainersRoots() throws {
    try #require(lchown("\(root.lower)/etc/group", 33, 44) == 0)
    let text = try run("touch /new; echo more >> /etc/group; mkdir -p /a/b; stat -c %u:%g /new /etc/group /a/b")
    #expect(text == "0:0\n33:44\n0:0\n")
    #expect(owners("lower/etc/group") == "lower/etc/group 33:44\n")
    // And again, as a restart does.
    #expect(try run("stat -c %u:%g /new /etc/group /a/b") == text)
  }

  @Test func directRootKeepsItsIds() throws {
    let text = try run("touch /new; mkdir /made; stat -c %u:%g / /new /dev/shm") {
      $0.root = .direct(root.lower)
      $0.mounts = [.tmpfs(at: "/deep/cache")]
    }
    #expect(text == "0:0\n0:0\n0:0\n")
    #expect(owners("lower/new lower/made lower/deep") == "lower/new 0:0\nlower/made 0:0\nlower/deep 0:0\n")
  }

  @Test func targetsAreMadeInFoldersOfOthers() throws {
    try #require(mkdir("\(root.lower)/home", 0o700) == 0 && lchown("\(root.lower)/home", 33, 44) == 0)
    let text = try run("stat -c %u:%g /home /home/cache /home/work") {
      $0.mounts = [.tmpfs(at: "/home/cache")]
      $0.process.workingDirectory = "/home/work"
    }
    #expect(text == "33:44\n0:0\n0:0\n")
  }

  @Test func whatBelongsToTheHostsRootIsNobodys() throws {
    try root.write("secret\n", to: "secret")
    try #require(chmod("\(root.folder)/secret", 0o600) == 0)
    // /proc cannot be mapped, and stands for every file system that cannot.
    let text = try run("stat -c %u:%g /other/version; (echo 1 > /other/sys/kernel/panic) 2>&1; :") {
      var proc = ContainerMount.bind("/proc", at: "/other")
      proc.identityMapping = .whenPossible
      $0.mounts = [proc]
    }
    #expect(text.hasPrefix("65534:65534\n") && text.contains("Permission denied"))
  }

  @Test func aFileSystemThatCannotBeMappedIsAnError() throws {
    let error = #expect(throws: KernelError.self) {
      try run("true") { $0.mounts = [.bind("/proc", at: "/other")] }
    }
    #expect(error?.subject == "/proc" && error?.action == "map the owners of files in")
    #expect(error?.remedy?.contains("userns_mode: host") == true)
    let direct = #expect(throws: KernelError.self) { try run("true") { $0.root = .direct("/proc") } }
    #expect(direct?.remedy?.contains("userns_mode: host") == true)
  }

  @Test func idsBeyondTheRangeAreAnError() throws {
    let error = #expect(throws: KernelError.self) { try run("true", as: "65536:0") }
    #expect(error?.description.contains("cannot become user 65536") == true)
    #expect(try run("id -u", as: "65535") == "65535\n")
  }

  /// Also with every capability: masks were placed, and mounts made read-only, by one with more rights.
  @Test func masksCannotBeTakenAway() throws {
    try #require(mkdir("\(root.folder)/data", 0o755) == 0)
    let script = """
      for p in /proc/sys /sys /data; do mount -o remount,bind,rw $p 2>/dev/null && echo "writable $p"; done
      for p in /proc/interrupts /proc/sys /proc /sys /data /dev; do umount $p 2>/dev/null && echo "unmounted $p"; done
      mount -t tmpfs none /mnt && echo may mount
      """
    func attempt(_ change: (inout ContainerSpec) -> Void) throws -> String {
      try run(script) {
        $0.process.confinement.capabilities = .all
        $0.mounts = [.bind("\(root.folder)/data", at: "/data", readOnly: true), .tmpfs(at: "/mnt")]
        change(&$0)
      }
    }
    #expect(try attempt { _ in } == "may mount\n")
    // Without the namespace nothing holds them.
    let without = try attempt { $0.identities = nil }
    #expect(without.contains("unmounted /proc/interrupts") && without.contains("writable /data"))
  }

  @Test func rightsEndAtItsOwnNetwork() throws {
    let script = """
      ip link set lo down && echo own
      echo 1 > /proc/sys/net/ipv4/ip_forward && echo setting
      echo 1 > /proc/sys/kernel/panic && echo kernel
      """
    let all = try run("(\(script)) 2>/dev/null; :") {
      $0.process.confinement.capabilities = .all
      $0.process.confinement.masksKernelPaths = false
    }
    #expect(all == "own\nsetting\n")
  }

  @Test func terminalIsTheUsers() throws {
    let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
    let users = try UserNamespace(owning: network, range: range)
    for user in ["0", "web"] {
      var spec = ContainerSpec(
        hostname: "web1", root: root.overlay,
        process: ContainerProcess([
          "sh", "-c", "stat -c %U:%g $(tty) > /tmp/o; echo x > $(tty) && cat /tmp/o > /dev/tty",
        ]))
      spec.process.user = user
      spec.stdio.terminal = true
      spec.networkNamespace = network.descriptor.fileDescriptor
      spec.identities = users.identities
      let process = try ContainerLauncher(initPath: InitProgram.path).launch(spec)
      var text = ""
      var chunk = [UInt8](repeating: 0, count: 4096)
      while case let count = read(process.terminalNumber, &chunk, chunk.count), count > 0 {
        text += String(decoding: chunk[..<count], as: UTF8.self)
      }
      _ = try ProcessHandle.wait(for: process.pidfd)
      #expect(text == "x\r\n\(user == "0" ? "root" : "web"):5\r\n")
    }
  }

  @Test func fifosAreTheUsers() throws {
    for (user, outside) in [(nil, range.first), ("web", range.first + 33)] as [(String?, UInt32)] {
      let fifo = "\(root.folder)/fifo.\(user ?? "root")"
      try #require(mkfifo(fifo, 0o600) == 0)
      let held = try FileDescriptor.open(FilePath(fifo), .readWrite)
      defer { try? held.close() }
      let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
      let users = try UserNamespace(owning: network, range: range)
      var spec = ContainerSpec(
        hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", "echo hello > /dev/stdout"]))
      spec.process.user = user
      spec.stdio.output = .fifo(fifo)
      spec.networkNamespace = network.descriptor.fileDescriptor
      spec.identities = users.identities
      let process = try ContainerLauncher(initPath: InitProgram.path).launch(spec)
      let status = try ProcessHandle.wait(for: process.pidfd)
      #expect(status?.shellCode == 0)
      #expect(owners("fifo.\(user ?? "root")").contains(" \(outside):"))
    }
  }

  @Test func anotherCommandJoinsIt() throws {
    let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
    let users = try UserNamespace(owning: network, range: range)
    var spec = ContainerSpec(
      hostname: "web1", root: root.overlay, process: ContainerProcess(["sleep", "60"]))
    spec.networkNamespace = network.descriptor.fileDescriptor
    spec.identities = users.identities
    let process = try ContainerLauncher(initPath: InitProgram.path).launch(spec)
    defer {
      try? ProcessHandle.send(SIGKILL, to: process.pidfd)
      _ = try? ProcessHandle.wait(for: process.pidfd)
    }
    for (user, ids) in [(nil, "0 0"), ("web", "33 44")] as [(String?, String)] {
      var exec = ExecSpec(["sh", "-c", "cat /proc/self/uid_map; hostname; echo $(id -u) $(id -g)"])
      exec.process.user = user
      let command = try Container.start(into: process.pidfd, exec)
      let text = try Self.text(of: command)
      #expect(text.split(separator: " ").joined(separator: " ").hasPrefix("0 1048576 65536\nweb1\n\(ids)\n"))
    }
    var exec = ExecSpec(["true"])
    exec.process.user = "65536"
    #expect(throws: KernelError.self) { _ = try Container.start(into: process.pidfd, exec) }
  }

  private static func text(of command: CapturedCommand) throws -> String {
    var ready = pollfd(fd: command.pidfd.rawValue, events: Int16(POLLIN), revents: 0)
    try #require(poll(&ready, 1, 10000) == 1)
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = read(command.output.rawValue, &chunk, chunk.count)
    #expect(try command.end()?.shellCode == 0)
    return String(decoding: chunk[..<max(count, 0)], as: UTF8.self)
  }

  /// The way for kernels before 6.15.
  @Test func layersMountedForAMomentLeaveNothing() throws {
    let count = "cat /proc/self/mountinfo | wc -l"
    let before = Shell.run(count).output
    let network = try NetworkNamespace.create(disablesIPv6: true, ownedBy: range)
    let users = try UserNamespace(owning: network, range: range)
    let overlay = MappedOverlay(
      lower: ["\(root.lower)/etc", "\(root.lower)/bin"], upper: root.upper, work: root.work,
      identities: users.identities)
    let mount = try overlay.mountAttached()
    #expect(
      Shell.run("stat -Lc %u:%g /proc/\(getpid())/fd/\(mount.rawValue)/passwd").output
        == "\(range.first):\(range.first)\n")
    #expect(Shell.run(count).output == before)
    #expect(Shell.run("ls \(root.folder)").output == "lower\nupper\nwork\n")
  }
}
