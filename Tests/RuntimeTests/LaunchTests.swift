import Glibc
import Kernel
import Runtime
import SystemPackage
import Testing

/// Launches `spec` with its output in a file, waits, and answers the output and the exit status.
func output(
  of spec: ContainerSpec, in root: BusyboxRoot, initPath: String? = nil
) throws -> (text: String, status: TerminationStatus) {
  var spec = spec
  let file = try FileDescriptor.open(
    FilePath("\(root.folder)/output"), .readWrite, options: [.create, .truncate, .append],
    permissions: FilePermissions(rawValue: 0o600))
  defer { try? file.close() }
  spec.stdio.output = .descriptor(file)
  spec.stdio.error = .descriptor(file)
  let launcher = try ContainerLauncher(initPath: initPath ?? InitProgram.path)
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

  @Test func hostnameIsItsOwn() throws {
    let (text, status) = try output(of: spec("hostname; cat /proc/mounts; ls -la /dev; ps"), in: root)
    print(text)
    #expect(text.hasPrefix("web1\n"))
    #expect(status == .exited(code: 0))
  }
}
