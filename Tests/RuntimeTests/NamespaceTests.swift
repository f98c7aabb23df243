import Glibc
import Testing
@testable import Kernel
@testable import Runtime

/// Kernel state of the host's kind is made only in processes that have namespaces of their own.
@Suite(.serialized, .enabled(if: isRoot(), "namespaces take root"))
struct NamespaceTests {
  /// Gives the exit test's process a mount namespace that propagates nothing, and a /run of its own.
  static func leaveHost() throws {
    // CLONE_NEWNS; glibc declares unshare(2) for _GNU_SOURCE alone.
    let unshare = try #require(dlsym(nil, "unshare"))
    typealias Unshare = @convention(c) (CInt) -> CInt
    try #require(unsafeBitCast(unshare, to: Unshare.self)(0x0002_0000) == 0)
    try #require(mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) == 0)
    try Mounts.tmpfs(at: "/run")
  }

  @Test func freshOneHasLoopbackUpAndNoIPv6() throws {
    var factory = try NetworkNamespaceFactory()
    for _ in 0..<3 {
      let namespace = try factory.create(ipv6: .off)
      let path = "/proc/\(getpid())/fd/\(namespace.descriptor.rawValue)"
      let text = Shell.run(
        "nsenter --net=\(path) ip -j addr; nsenter --net=\(path) sh -c 'cd /proc/sys/net/ipv6/conf && cat all/disable_ipv6 default/disable_ipv6 lo/disable_ipv6'"
      ).output
      #expect(text.contains("\"UP\"") && text.contains("127.0.0.1") && !text.contains("inet6"))
      #expect(text.hasSuffix("1\n1\n1\n"))
    }
    let plain = try NetworkNamespace.create(loopbackUp: false, disablesIPv6: false)
    let path = "/proc/\(getpid())/fd/\(plain.descriptor.rawValue)"
    let text = Shell.run(
      "nsenter --net=\(path) ip -j addr; nsenter --net=\(path) cat /proc/sys/net/ipv6/conf/all/disable_ipv6"
    ).output
    #expect(!text.contains("\"UP\"") && text.hasSuffix("0\n"))
  }

  @Test func callerStaysWhereItIs() throws {
    func namespace() -> UInt64 {
      var status = stat()
      return stat("/proc/thread-self/ns/net", &status) == 0 ? UInt64(status.st_ino) : 0
    }
    let before = namespace()
    _ = try NetworkNamespace.create(disablesIPv6: true)
    #expect(namespace() == before && before != 0)
  }

  @Test func pinnedOnesAreWhatIpNetnsSees() async {
    await #expect(processExitsWith: .success) {
      try NamespaceTests.leaveHost()
      let before = Shell.run("cat /proc/self/mountinfo").output
      let path = "/run/netns/web.web1"
      try #require(try NamespaceFolder.needed("/run/netns") == [.madeFolder, .madeMountPoint])
      try NamespaceFolder.prepare("/run/netns")
      try #require(try NamespaceFolder.needed("/run/netns").isEmpty)
      try NetworkNamespace.create(disablesIPv6: true).pin(at: path)
      try NetworkNamespace.create(disablesIPv6: true).pin(at: "/run/netns/web.web2")
      try #require(Shell.run("ip netns list").output == "web.web2\nweb.web1\n")
      try #require(Shell.run("ip netns exec web.web1 ip -o link").output.hasPrefix("1: lo:"))
      // And one of theirs beside ours.
      try #require(Shell.run("ip netns add other && ip netns exec other true && ip netns del other").status == 0)

      let again = try NetworkNamespace.open(pinnedAt: path)
      let inode = Shell.run("stat -Lc %i /proc/\(getpid())/fd/\(again.descriptor.rawValue) \(path) | uniq | wc -l")
        .output
      try #require(inode == "1\n")
      #expect(throws: KernelError.self) { try again.pin(at: path) }

      try NetworkNamespace.unpin(path)
      try NetworkNamespace.unpin(path)
      try NetworkNamespace.unpin("/run/netns/web.web2")
      try #require(Shell.run("ip netns list; ls /run/netns").output.isEmpty)
      try NamespaceFolder.restore("/run/netns", [.madeMountPoint, .madeFolder])
      try #require(Shell.run("cat /proc/self/mountinfo").output == before)
    }
  }

  @Test func onlyNetworkNamespacesOpen() {
    for path in ["/proc/self/ns/uts", "/etc/passwd", "/no/such"] {
      #expect(throws: KernelError.self) { _ = try NetworkNamespace.open(pinnedAt: path) }
    }
  }

  @Test func mountsBelow() async {
    await #expect(processExitsWith: .success) {
      try NamespaceTests.leaveHost()
      try #require(mkdir("/run/a b", 0o755) == 0)
      try Mounts.tmpfs(at: "/run/a b", size: 1 << 20, mode: 0o700)
      try #require(mkdir("/run/a b/c\\d", 0o755) == 0)
      try Mounts.tmpfs(at: "/run/a b/c\\d")
      let found = try Mounts.below("/run/a b").map(\.mountPoint)
      #expect(found == ["/run/a b/c\\d", "/run/a b"])
      try #require(try Mounts.below("/run/a").isEmpty)
      #expect(throws: KernelError.self) { try Mounts.unmount("/run/a b") }
      for entry in try Mounts.below("/run/a b") { try Mounts.unmount(entry.mountPoint) }
      try #require(try Mounts.below("/run/a b").isEmpty)
    }
  }

  @Test func identityOfThisProcess() throws {
    let identity = try ProcessIdentity(of: getpid())
    #expect(try identity.open() != nil)
    let former = ProcessIdentity(pid: identity.pid, startTime: identity.startTime - 1, bootID: identity.bootID)
    #expect(try former.open() == nil)
    let otherBoot = ProcessIdentity(pid: identity.pid, startTime: identity.startTime, bootID: "another")
    #expect(try otherBoot.open() == nil)
  }
}

@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
struct HostRootTests {
  @Test func hostsProgramsRunAndNoneOfItsStateIsSeen() throws {
    let root = try BusyboxRoot()
    let host = try HostRoot.build(in: "\(root.folder)/skeleton")
    let again = try HostRoot.build(in: "\(root.folder)/skeleton")
    #expect(again.mounts.count == host.mounts.count)
    let script = """
      cat /etc/os-release | head -1; id root; getent group root; ls /etc | tr '\\n' ' '; echo
      ls /root /home /etc/gshadow /etc/machine-id /etc/ssl/private /etc/ssh 2>&1 | grep -v 'No such file'
      touch /usr/x 2>/dev/null || echo read-only
      touch /etc/x /var/x /tmp/x && echo writable
      awk 'BEGIN { print "awk" }'
      curl --version | head -1 | cut -d' ' -f1
      """
    var spec = ContainerSpec(
      hostname: "web1", root: .overlay(lower: [host.lower], upper: root.upper, work: root.work),
      process: ContainerProcess(["bash", "-c", script]))
    spec.mounts = host.mounts
    let text = try output(of: spec, in: root).text
    #expect(text.contains("PRETTY_NAME") && text.contains("uid=0(root) gid=0(root)") && text.contains("root:x:0:"))
    #expect(text.contains("read-only\nwritable\nawk\ncurl\n"), "\(text)")
    #expect(text.contains("/home:") && !text.contains("gshadow") && !text.contains("machine-id"))
    #expect(!text.contains("/etc/ssl/private:") && !text.contains("/etc/ssh:"))
    #expect(try !root.read("skeleton/etc/passwd").contains("$"))
    let passwords = try root.read("skeleton/etc/shadow").split(separator: "\n")
    #expect(!passwords.isEmpty && passwords.allSatisfy { $0.hasSuffix(":*:::::::") })
    #expect(text.contains("pam.d"))
  }

  /// Services have it in use: what is as it should be stays the same file, and what is not is another at once.
  @Test func buildingAgainReplacesOnlyWhatHasChanged() throws {
    let root = try BusyboxRoot()
    let folder = "\(root.folder)/skeleton"
    func number(of name: String) -> ino_t {
      var status = stat()
      return lstat("\(folder)/\(name)", &status) == 0 ? status.st_ino : 0
    }
    _ = try HostRoot.build(in: folder)
    let names = ["etc/passwd", "etc/hosts", "etc/mtab", "var/run"]
    let before = names.map { number(of: $0) }
    let users = try root.read("skeleton/etc/passwd")
    _ = try HostRoot.build(in: folder)
    #expect(names.map { number(of: $0) } == before)
    try #require(truncate("\(folder)/etc/passwd", 3) == 0)
    try #require(unlink("\(folder)/etc/mtab") == 0 && symlink("/elsewhere", "\(folder)/etc/mtab") == 0)
    // What was being made by somebody who was killed.
    try #require(symlink("/elsewhere", "\(folder)/etc/passwd.new") == 0)
    _ = try HostRoot.build(in: folder)
    #expect(try root.read("skeleton/etc/passwd") == users)
    #expect(number(of: "etc/passwd") != before[0] && number(of: "etc/hosts") == before[1])
    #expect(number(of: "etc/passwd.new") == 0 && number(of: "etc/mtab.new") == 0)
    var target = [CChar](repeating: 0, count: 64)
    #expect(readlink("\(folder)/etc/mtab", &target, 63) == 17)
  }
}
