import CLinux
import Glibc
import Kernel
import Synchronization
import SystemPackage

extension Container {
  /// Starts a command in the namespaces of the process behind `pidfd` and returns at once, before it has been executed.
  ///
  /// It reads nothing, and what it writes can be read from ``CapturedCommand/output``. It is in a session, and so in a
  /// process group, of its own. `terminal` of the spec is ignored.
  public static func start(
    into pidfd: borrowing Descriptor, _ spec: ExecSpec
  ) throws(KernelError) -> CapturedCommand {
    var ends: (read: CInt, write: CInt) = (-1, -1)
    try check("make", "a pipe") { stack_pipe(&ends.read, &ends.write) }
    let output = Descriptor(adopting: ends.read)
    let input = Descriptor(adopting: ends.write)
    var program = Program()
    let command = try compile(
      spec, streams: .captured(input.fileDescriptor), pidfd: pidfd.fileDescriptor, into: &program)
    let spawned = try program.spawn(cgroup: spec.process.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
    return CapturedCommand(
      pid: spawned.pid, pidfd: Descriptor(adopting: spawned.pidfd), output: output,
      report: Report(channel: Descriptor(adopting: spawned.report)), purposes: program.purposes, command: command)
  }

  /// Starts a command in the namespaces of the process behind `pidfd` and leaves it to itself once it has been executed.
  ///
  /// It reads nothing, and what it writes goes nowhere. It ends with the container at the latest.
  public static func detach(into pidfd: borrowing Descriptor, _ spec: ExecSpec) throws(KernelError) {
    let null = try Descriptor.open("/dev/null", O_WRONLY)
    var program = Program()
    let command = try compile(
      spec, streams: .captured(null.fileDescriptor), pidfd: pidfd.fileDescriptor, into: &program)
    let spawned = try program.spawn(cgroup: spec.process.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
    let process = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    _ = try report.confirm(process, purposes: program.purposes, command: command)
  }
}

/// A command that was started in a container beside what runs there. It is a child of the caller, to be reaped by ``end()``.
public final class CapturedCommand: Sendable {
  /// Readable once the command itself has ended.
  public let pidfd: Descriptor
  /// The read end of the command's output. It does not block, and ends when all writers are gone.
  public let output: Descriptor
  private let pid: Int32
  private let report: Report
  private let purposes: [(action: StaticString, subject: String)]
  private let command: String
  private let status = Mutex<TerminationStatus?>(nil)

  init(
    pid: Int32, pidfd: consuming Descriptor, output: consuming Descriptor, report: consuming Report,
    purposes: [(action: StaticString, subject: String)], command: String
  ) {
    self.pid = pid
    self.pidfd = pidfd
    self.output = output
    self.report = report
    self.purposes = purposes
    self.command = command
  }

  /// Ends the command and the rest of its process group at once. Does nothing once it has been reaped.
  public func kill() {
    status.withLock { status in
      guard status == nil else { return }
      // Nobody else can have the number, of a process or of a group, before this child of ours is reaped.
      _ = Glibc.kill(-pid, SIGKILL)
      // It has no group of its own before it has come to run.
      try? ProcessHandle.send(SIGKILL, to: pidfd)
    }
  }

  /// Reaps the command; `nil` while it runs.
  ///
  /// - Throws: the error that kept it from being executed. `KernelError.execShellCode` is its code when it was the
  ///   command itself.
  public func end() throws(KernelError) -> TerminationStatus? {
    try status.withLock { status throws(KernelError) in
      if let status { return status }
      status = try ProcessHandle.wait(for: pidfd, block: false)
      guard status != nil else { return nil }
      // The report about its start is complete by now.
      let outcome = try? report.outcome(purposes: purposes, command: command, blocks: false)
      if case .some(let outcome) = outcome, let failure = outcome.failure { throw failure }
      return status
    }
  }
}
