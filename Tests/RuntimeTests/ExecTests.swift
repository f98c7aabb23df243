import Foundation
import Glibc
import SystemPackage
import Testing
@testable import Kernel
@testable import Runtime

/// `exec` uses the process's own standard descriptors, so each case runs in a process of its own.
@Suite(.serialized, .enabled(if: isRoot(), "containers take root"))
final class ExecTests {
  let root: BusyboxRoot
  let service: LaunchedProcess

  init() throws {
    root = try BusyboxRoot()
    let launcher = try ContainerLauncher(initPath: InitProgram.path)
    service = try launcher.launch(
      ContainerSpec(hostname: "web1", root: root.overlay, process: ContainerProcess(["sleep", "1000"])))
    // The library looks for the end of an exit test at the first child that has ended, and waits for ever if nobody reaps
    // another one.
    let pid = service.pid
    Thread.detachNewThread {
      var end = siginfo_t()
      while waitid(P_PID, id_t(pid), &end, WEXITED) != 0, errno == EINTR {}
    }
  }

  /// Runs in the exit test's process and ends it with the command's code.
  static func exec(in pid: Int32, _ arguments: [String], _ change: (inout ExecSpec) -> Void = { _ in }) -> Never {
    do throws(KernelError) {
      var spec = ExecSpec(arguments)
      change(&spec)
      guard let pidfd = try ProcessIdentity(of: pid).open() else { exit(99) }
      exit(try Container.exec(into: pidfd, spec).shellCode)
    } catch {
      FileDescriptor.standardError.writeBestEffort("\(error)\n")
      exit(error.execShellCode ?? 98)
    }
  }

  private func end() {
    try? ProcessHandle.send(SIGKILL, to: service.pidfd)
    var ended = pollfd(fd: service.pidfd.rawValue, events: Int16(POLLIN), revents: 0)
    poll(&ended, 1, 5000)
  }

  @Test(
    arguments: [
      ("exit 0", 0), ("exit 3", 3), ("kill -TERM $$; sleep 5", 143), ("kill -9 $$", 137),
      ("test $(hostname) = web1", 0), ("test $(cat /proc/1/comm) = stack-init", 0), ("test $$ -lt 100", 0),
      // 0, 1, 2, and the folder that is being listed.
      ("test $(ls /proc/self/fd | wc -w) -eq 4", 0), ("test $HOME = /root", 0), ("test $(pwd) = /", 0),
    ] as [(String, Int32)])
  func exitCode(_ example: (script: String, code: Int32)) async throws {
    let (pid, script) = (service.pid, example.script)
    let result = await #expect(processExitsWith: .failure) { [pid = pid as Int32, script = script as String] in
      // Told apart from an exit test that never ran.
      for _ in 0..<50 { _ = open("/", O_RDONLY) }
      let code = ExecTests.codeOf(pid, script)
      exit(code + 1)
    }
    end()
    #expect(result?.exitStatus == .exitCode(example.code + 1))
  }

  static func codeOf(_ pid: Int32, _ script: String) -> Int32 {
    do throws(KernelError) {
      guard let pidfd = try ProcessIdentity(of: pid).open() else { return 98 }
      return try Container.exec(into: pidfd, ExecSpec(["sh", "-c", script])).shellCode
    } catch {
      return error.execShellCode ?? 97
    }
  }

  @Test(arguments: [("nosuch", 127), ("/etc/passwd", 126), ("/no/such", 127)] as [(String, Int32)])
  func commandThatCannotBeExecuted(_ example: (command: String, code: Int32)) async throws {
    let (pid, command) = (service.pid, example.command)
    let result = await #expect(processExitsWith: .failure) { [pid = pid as Int32, command = command as String] in
      ExecTests.exec(in: pid, [command])
    }
    end()
    #expect(result?.exitStatus == .exitCode(example.code))
  }

  @Test func userFolderAndOutput() async throws {
    let pid = service.pid
    let result = await #expect(
      processExitsWith: .exitCode(5), observing: [\.standardOutputContent, \.standardErrorContent]
    ) { [pid = pid as Int32] in
      ExecTests.exec(in: pid, ["sh", "-c", "id -u; id -G; pwd; echo $X; exit 5"]) {
        $0.process.user = "web"
        $0.process.workingDirectory = "/etc"
        $0.process.environment = ["X=y"]
      }
    }
    end()
    let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("33\n44 45 46\n/etc\ny\n"), "\(said)")
  }

  @Test func foldersBehindDescriptors() async throws {
    for number in [3, 4, 5, 7, 10, 20] {
      let pid = service.pid
      let result = await #expect(processExitsWith: .failure) { [pid = pid as Int32, number = number as Int] in
        for _ in 0..<50 { _ = open("/", O_RDONLY | O_DIRECTORY) }
        ExecTests.exec(in: pid, ["true"]) { $0.process.workingDirectory = "/proc/self/fd/\(number)" }
      }
      #expect(result?.exitStatus == .exitCode(98))
    }
    end()
  }

  @Test func signalsArePassedOn() async throws {
    let pid = service.pid
    let result = await #expect(processExitsWith: .exitCode(9)) { [pid = pid as Int32] in
      signalMyself(when: "/proc/\(pid)/root/ready")
      ExecTests.exec(in: pid, ["sh", "-c", "trap 'exit 9' USR1; : >/ready; while :; do sleep 0.01; done"])
    }
    end()
    #expect(result?.exitStatus == .exitCode(9))
  }

  @Test func terminal() async throws {
    let pid = service.pid
    let result = await #expect(processExitsWith: .exitCode(6), observing: [\.standardErrorContent]) {
      [pid = pid as Int32] in
      let pty = PseudoTerminal()
      let before = pty.mode()
      var code: Int32 = 99
      pty.typing("hello\n") {
        code = ExecTests.terminalCode(pid)
      }
      if pty.mode() != before { exit(50) }
      FileDescriptor.standardError.writeBestEffort(pty.output)
      exit(code)
    }
    end()
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("/dev/pts/0") && text.contains("got hello") && text.contains("33 101"))
  }

  static func terminalCode(_ pid: Int32) -> Int32 {
    do throws(KernelError) {
      guard let pidfd = try ProcessIdentity(of: pid).open() else { return 98 }
      var spec = ExecSpec(["sh", "-c", "tty; stty size; read line; echo got $line; exit 6"])
      spec.terminal = true
      return try Container.exec(into: pidfd, spec).shellCode
    } catch {
      return 97
    }
  }
}

/// Sends USR1 to the calling thread once a file is there: the test process has others, which would take it and die.
func signalMyself(when file: String) {
  final class Target: Sendable {
    let thread: pthread_t
    let file: String
    init(_ thread: pthread_t, _ file: String) { (self.thread, self.file) = (thread, file) }
  }
  var thread = pthread_t()
  let target = Unmanaged.passRetained(Target(pthread_self(), file))
  pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let target = Unmanaged<Target>.fromOpaque(argument).takeRetainedValue()
      for _ in 0..<3_000 where access(target.file, F_OK) != 0 { usleep(10_000) }
      pthread_kill(target.thread, SIGUSR1)
      return nil
    }, target.toOpaque())
}

/// A terminal that takes the place of this process's 0 and 1 for a while.
final class PseudoTerminal: @unchecked Sendable {
  private let master: CInt
  private let slave: CInt
  private(set) var output = ""

  init() {
    // TIOCSPTLCK and TIOCGPTN, macros that do not import.
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var number: CInt = 0
    _ = ioctl(master, 0x4004_5431, &number)
    _ = ioctl(master, 0x8004_5430, &number)
    slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    var size = winsize(ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    dup2(slave, 0)
    dup2(slave, 1)
  }

  func mode() -> [UInt32] {
    var mode = termios()
    tcgetattr(slave, &mode)
    return [mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag]
  }

  func typing(_ text: String, _ body: () -> Void) {
    usleep(10_000)
    _ = text.withCString { write(master, $0, strlen($0)) }
    body()
    var chunk = [UInt8](repeating: 0, count: 4096)
    _ = fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK)
    while case let count = read(master, &chunk, chunk.count), count > 0 {
      output += String(decoding: chunk[..<count], as: UTF8.self)
    }
  }
}

extension FileDescriptor {
  func writeBestEffort(_ text: String) { _ = try? writeAll(text.utf8) }
}
