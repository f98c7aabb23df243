import CLinux
import Glibc
import Kernel
import SystemPackage

/// A process of the host's own namespaces that outlives the command that started it: a supervisor.
public final class DetachedProcess: Sendable {
  /// The descriptor under which the new process finds what it was given.
  public static let inheritedDescriptor = FileDescriptor(rawValue: CInt(STACK_FD_RECORD))

  private static let name = "the supervisor"

  /// A small program that starts the new process, and starts it again when it was killed: stack-init, under this name.
  public struct Watcher: Sendable {
    public static let name = "stack-watch"

    let program: String
    let arguments: [String]

    /// - Parameters:
    ///   - program: the path of stack-init. The process gets it as its last argument.
    ///   - subject: the argument before that.
    ///   - ends: the file to which the ends of processes are appended that are left to the watcher.
    public init(program: String, subject: String, ends: String) {
      self.program = program
      arguments = [Self.name, subject, program, ends]
    }
  }

  private let pid: Int32
  private let pidfd: Descriptor
  private let report: Report
  private let purposes: [(action: StaticString, subject: String)]

  /// Starts this very program in a session of its own, at `/`. Its output goes to a file, and it gets one descriptor of
  /// the caller's as ``inheritedDescriptor``. Returns when it has been executed, or cannot be.
  ///
  /// - Parameters:
  ///   - watcher: starts it in this process's place; its arguments stand for `arguments` then.
  ///   - group: the control group that it is to be in; nil for the caller's.
  public init(
    _ arguments: [String], environment: [String] = [], log: String, giving descriptor: FileDescriptor,
    watchedBy watcher: Watcher? = nil, in group: ControlGroupEntrance? = nil
  ) throws(KernelError) {
    let executable = try ReadOnlyProgram.own()
    let birthplace = try (group ?? ControlGroupEntrance.none).birthplace()
    var program = Program()
    for file in group?.open ?? [] { try program.write("0", to: file, for: "enter", "the supervisor's cgroup") }
    let null = try program.openNull()
    let output = try program.open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
    program.startSession()
    var descriptors = Program.Descriptors(input: null, output: output, error: output)
    descriptors.record = Program.Handle(descriptor)
    let own = Program.Handle(executable.file.fileDescriptor)
    let executed = if let watcher { try ReadOnlyProgram(watcher.program) } else { try ReadOnlyProgram.own() }
    descriptors.program = Program.Handle(executed.file.fileDescriptor)
    if watcher != nil { descriptors.terminal = own }
    program.arrange(descriptors)
    try program.changeFolder(to: "/", for: "enter")
    try program.executeDescriptor(
      watcher?.arguments ?? arguments, environment: environment, keepsReport: watcher != nil, Self.name)

    let spawned = try program.spawn(.sharedAlike, cgroup: birthplace.descriptor)
    report = Report(channel: Descriptor(adopting: spawned.report))
    pid = spawned.pid
    pidfd = Descriptor(adopting: spawned.pidfd)
    purposes = program.purposes
  }

  /// Waits until it has been executed; throws what kept it from that. To be asked once.
  public func confirm() throws(KernelError) {
    _ = try report.confirm(pidfd, purposes: purposes, command: Self.name)
  }

  /// Its end; nil while it runs.
  public func status() -> TerminationStatus? {
    (try? ProcessHandle.wait(for: pidfd, block: false)) ?? nil
  }

  /// Ends it, and whatever it has started in its session, and returns once it has ended.
  public func kill() {
    // Its number is its own as long as it is not reaped.
    _ = Glibc.kill(-pid, SIGKILL)
    ProcessHandle.end(pidfd)
  }
}
