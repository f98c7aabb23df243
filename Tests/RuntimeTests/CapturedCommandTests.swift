import Glibc
import Testing
@testable import Kernel
@testable import Runtime

@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
final class CapturedCommandTests {
  let root: BusyboxRoot
  let service: LaunchedProcess

  init() throws {
    root = try BusyboxRoot()
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    service = try launcher.launch(
      ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sleep", "1000"])))
  }

  private func endService() throws {
    try ProcessHandle.send(SIGKILL, to: service.pidfd)
    _ = try ProcessHandle.wait(for: service.pidfd)
  }

  private func end(of command: CapturedCommand) throws -> TerminationStatus? {
    for _ in 0..<2000 {
      if let status = try command.end() { return status }
      usleep(1000)
    }
    return nil
  }

  private func text(of command: CapturedCommand) -> String {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = read(command.output.rawValue, &chunk, chunk.count)
    return String(decoding: chunk.prefix(max(count, 0)), as: UTF8.self)
  }

  @Test func outputAndCodeComeBackFromInside() throws {
    let script = "hostname; echo wrong >&2; read line || echo no input; exit 3"
    let command = try Container.start(into: service.pidfd, ExecSpec(["sh", "-c", script]))
    #expect(try end(of: command) == .exited(code: 3))
    #expect(text(of: command) == "web1\nwrong\nno input\n")
    #expect(try command.end() == .exited(code: 3))
    try endService()
  }

  @Test func startDoesNotWaitForTheCommand() throws {
    let began = ContinuousClock.now
    let command = try Container.start(into: service.pidfd, ExecSpec(["sleep", "1000"]))
    #expect(began.duration(to: .now) < .seconds(1))
    #expect(try command.end() == nil)
    command.kill()
    #expect(try end(of: command) == .signaled(signal: SIGKILL, coreDumped: false))
    try endService()
  }

  @Test func killTakesTheChildrenToo() throws {
    let command = try Container.start(
      into: service.pidfd, ExecSpec(["sh", "-c", "sleep 1001 & sleep 1002 & echo ready; wait"]))
    for _ in 0..<2000 {
      if text(of: command) == "ready\n" { break }
      usleep(1000)
    }
    command.kill()
    _ = try end(of: command)
    let search = try Container.start(
      into: service.pidfd, ExecSpec(["sh", "-c", "ps -o args | grep 'sleep 100[12]' | grep -v grep"]))
    #expect(try end(of: search) == .exited(code: 1), "\(text(of: search))")
    try endService()
  }

  @Test(arguments: [("nosuch", 127), ("/etc/passwd", 126)] as [(String, Int32)])
  func aCommandThatCannotBeExecutedSaysSo(_ example: (command: String, code: Int32)) throws {
    let command = try Container.start(into: service.pidfd, ExecSpec([example.command]))
    let error = #expect(throws: KernelError.self) { try end(of: command) }
    #expect(error?.execShellCode == example.code)
    try endService()
  }
}
