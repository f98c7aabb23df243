import CLinux
import Glibc
public import Kernel
import SystemPackage

/// A child of this process that runs this very program for a piece of work, and ends with it.
///
/// It has a socket to its maker as ``inheritedDescriptor``, what it works on as standard input, and nothing else of the caller's but
/// standard error.
public final class HelperProcess: Sendable {
  /// The descriptor under which the new process finds its end of the socket.
  public static let inheritedDescriptor = FileDescriptor(rawValue: CInt(STACK_FD_RECORD))

  private static let name = "the helper"

  private let pidfd: Descriptor

  /// Returns when it has been executed.
  ///
  /// - Throws: what kept it from that.
  public init(
    _ arguments: [String], environment: [String] = [], input: FileDescriptor, control: FileDescriptor
  ) throws(KernelError) {
    var program = Program()
    let null = try program.openNull()
    let executable = try ReadOnlyProgram.own()
    var table = [CInt](repeating: -1, count: Int(STACK_FD_COUNT))
    (table[0], table[1], table[2]) = (input.rawValue, null.rawValue, STDERR_FILENO)
    table[Int(STACK_FD_RECORD)] = control.rawValue
    table[Int(STACK_FD_PROGRAM)] = executable.file.rawValue
    let list = program.values(table)
    try program.add(STACK_OP_DESCRIPTORS, for: "arrange", "descriptors", data: list)
    try program.add(STACK_OP_CHDIR, for: "enter", "/", path: "/")
    let command = try program.command(argv: arguments, env: environment)
    try program.add(STACK_OP_EXEC_DESCRIPTOR, for: "execute", Self.name, data: command)
    let spawned = try program.spawn(sharesMemory: true)
    pidfd = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    _ = try report.confirm(pidfd, purposes: program.purposes, command: Self.name)
  }

  /// Ends it, and returns once it has ended.
  public func end() { ProcessHandle.end(pidfd) }
}
