import Glibc
import SystemPackage
import Testing
@testable import Kernel
@testable import Runtime

/// Root folders made to lead set-up out of the container: refused, or kept inside.
@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
struct EscapeTests {
  let root: BusyboxRoot
  let bait: String

  init() throws {
    root = try BusyboxRoot()
    bait = "\(root.folder)/bait"
    try #require(mkdir(bait, 0o755) == 0)
  }

  func spec(_ script: String) -> ContainerSpec {
    ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sh", "-c", script]))
  }

  @Test(arguments: ["proc", "sys", "dev"], ["/", "../../../../../..", "/bin", "nowhere"])
  func kernelFoldersThatAreLinks(name: String, target: String) throws {
    try #require(rmdir("\(root.lower)/\(name)") == 0)
    try #require(symlink(target, "\(root.lower)/\(name)") == 0)
    let before = Shell.run("cat /proc/self/mountinfo | wc -l; ls /proc/sys /dev").output
    let error = #expect(throws: KernelError.self) { try output(of: spec("true"), in: root) }
    #expect(error?.subject == "/\(name)")
    #expect(error?.errno == .tooManySymbolicLinkLevels)
    #expect(Shell.run("cat /proc/self/mountinfo | wc -l; ls /proc/sys /dev").output == before)
  }

  @Test(arguments: ["/link/made", "/link/../link/made", "/deep/link/made", "/link", "/../../link/made"])
  func targetsBehindLinks(target: String) throws {
    try #require(mkdir("\(root.lower)/deep", 0o755) == 0)
    // Absolute: inside, it names a folder of the container's, which is missing.
    try #require(symlink(bait, "\(root.lower)/link") == 0)
    try #require(symlink("../../../../../../../../\(bait)", "\(root.lower)/deep/link") == 0)
    var spec = spec("true")
    spec.mounts = [.tmpfs(at: target)]
    _ = try? output(of: spec, in: root)
    #expect(Shell.run("ls -A \(bait)").output == "")
    #expect(Shell.run("ls -d \(root.lower)/made \(root.folder)/made").status != 0)
  }

  @Test func targetBehindALinkStaysInside() throws {
    try #require(mkdir("\(root.lower)/real", 0o755) == 0)
    try #require(symlink("/real", "\(root.lower)/link") == 0)
    var spec = spec("grep -c ' /real/made ' /proc/mounts")
    spec.mounts = [.tmpfs(at: "/link/made")]
    #expect(try output(of: spec, in: root).text == "1\n")
  }

  @Test func targetsBehindMagicLinks() throws {
    try #require(symlink("/proc/1/root", "\(root.lower)/magic") == 0)
    var spec = spec("true")
    spec.mounts = [.tmpfs(at: "/magic/made")]
    #expect(throws: KernelError.self) { try output(of: spec, in: root) }
  }

  @Test func fileTargetThatIsALinkToTheHost() throws {
    try root.write("host\n", to: "bait/file")
    try root.write("mine\n", to: "mine")
    try #require(symlink("\(bait)/file", "\(root.lower)/etc/hosts") == 0)
    var spec = spec("cat /etc/hosts")
    spec.mounts = [.bind("\(root.folder)/mine", at: "/etc/hosts")]
    _ = try? output(of: spec, in: root)
    #expect(try root.read("bait/file") == "host\n")
  }

  @Test func workingDirectoryBehindALink() throws {
    try #require(symlink(bait, "\(root.lower)/link") == 0)
    var spec = spec("true")
    spec.process.workingDirectory = "/link/made"
    _ = try? output(of: spec, in: root)
    #expect(Shell.run("ls -A \(bait)").output == "")
  }

  @Test func passwdThatIsNotAPlainFile() throws {
    try #require(unlink("\(root.lower)/etc/passwd") == 0)
    try #require(mkfifo("\(root.lower)/etc/passwd", 0o644) == 0)
    var spec = spec("true")
    spec.process.user = "web"
    #expect(throws: KernelError.self) { try output(of: spec, in: root) }
    try #require(unlink("\(root.lower)/etc/passwd") == 0)
    try #require(symlink("/proc/self/root/etc/passwd", "\(root.lower)/etc/passwd") == 0)
    #expect(throws: KernelError.self) { try output(of: spec, in: root) }
  }

  @Test func initProgramCannotBeWrittenFromInside() throws {
    let path = try #require(InitProgram.path)
    let before = try Shell.contents(path)
    let script = "(echo x > /proc/1/exe) 2>&1; mount -o remount,rw /proc/1/exe 2>&1; (echo x > /proc/1/exe) 2>&1; :"
    #expect(try output(of: spec(script), in: root).text.contains("Permission denied"))
    #expect(try Shell.contents(path) == before)
    var privileged = spec(script)
    privileged.process.confinement = .none
    let text = try output(of: privileged, in: root).text
    #expect(text.contains("Read-only file system") || text.contains("Text file busy"))
    #expect(try Shell.contents(path) == before)
  }

  @Test func noCgroupHierarchyIsInReach() throws {
    let text = try output(
      of: spec("find / -xdev -name release_agent 2>/dev/null; grep -c cgroup /proc/mounts; :"), in: root
    ).text
    #expect(text.hasSuffix("0\n") && !text.contains("release_agent"))
  }
}
