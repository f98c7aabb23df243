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
    let (output, outputSlot) = program.newSlot()
    try program.add(
      STACK_OP_OPEN, for: "open", log, .currentFolder, slot: outputSlot,
      flags: UInt64(O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW), number: 0o600, path: log)
    try program.add(STACK_OP_SETSID, for: "start", "a session")
    var table = [CInt](repeating: -1, count: Int(STACK_FD_COUNT))
    (table[0], table[1], table[2]) = (null.rawValue, output.rawValue, output.rawValue)
    table[Int(STACK_FD_RECORD)] = descriptor.rawValue
    table[Int(STACK_FD_PROGRAM)] = executable.file.rawValue
    let list = program.values(table)
    try program.add(STACK_OP_DESCRIPTORS, for: "arrange", "descriptors", data: list)
    try program.add(STACK_OP_CHDIR, for: "enter", "/", path: "/")
    let command = try program.command(argv: arguments, env: environment)
    try program.add(STACK_OP_EXEC_DESCRIPTOR, for: "execute", Self.name, data: command)

    // Whoever may look into it before it has been executed may look into this process too.
    let spawned = try program.spawn(sharesMemory: true)
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
