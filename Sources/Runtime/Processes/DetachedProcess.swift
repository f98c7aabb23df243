import CLinux
import Glibc
import Kernel
import SystemPackage

/// A process of the host's own namespaces that outlives the command that started it: a supervisor.
public final class DetachedProcess: Sendable {
  /// The descriptor under which the new process finds what it was given.
  public static let inheritedDescriptor = FileDescriptor(rawValue: CInt(STACK_FD_RECORD))

  private static let name = "the supervisor"

  private let pidfd: Descriptor
  private let report: Report
  private let purposes: [(action: StaticString, subject: String)]

  /// Starts this very program in a session of its own, at `/`. Its output goes to a file, and it gets one descriptor of
  /// the caller's as ``inheritedDescriptor``. Returns when it has been executed, or cannot be.
  public init(
    _ arguments: [String], environment: [String] = [], log: String, giving descriptor: FileDescriptor
  ) throws(KernelError) {
    let executable = try ReadOnlyProgram.own()
    var program = Program()
    let null = try program.openNull()
    let output = try program.open(log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
    program.startSession()
    var descriptors = Program.Descriptors(input: null, output: output, error: output)
    descriptors.record = Program.Handle(descriptor)
    descriptors.program = Program.Handle(executable.file.fileDescriptor)
    program.arrange(descriptors)
    try program.changeFolder(to: "/", for: "enter")
    try program.executeDescriptor(arguments, environment: environment, Self.name)

    let spawned = try program.spawn(.sharedAlike)
    report = Report(channel: Descriptor(adopting: spawned.report))
    pidfd = Descriptor(adopting: spawned.pidfd)
    purposes = program.purposes
  }

  /// Waits until it has been executed; throws what kept it from that. To be asked once.
  public func confirm() throws(KernelError) {
    _ = try report.confirm(pidfd, purposes: purposes, command: Self.name)
  }

  /// Ends it, and returns once it has ended.
  public func kill() {
    ProcessHandle.end(pidfd)
  }
}
