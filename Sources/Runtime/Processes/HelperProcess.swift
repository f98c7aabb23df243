import CLinux
import Glibc
public import Kernel
import SystemPackage

/// A child process that runs this program for one task, and ends with the task.
///
/// It inherits three descriptors: a socket to its parent (``inheritedDescriptor``), its input as standard input, and
/// the caller's standard error.
public final class HelperProcess: Sendable {
  /// The descriptor of the child's end of the socket.
  public static let inheritedDescriptor = FileDescriptor(rawValue: CInt(STACK_FD_RECORD))

  private static let name = "the helper"

  private let pidfd: Descriptor

  /// Starts the helper, and returns after execve(2) has succeeded.
  ///
  /// - Parameters:
  ///   - input: the helper's standard input.
  ///   - control: the helper's end of the socket, which becomes ``inheritedDescriptor``.
  /// - Throws: the error of the step that failed before or in execve(2).
  public init(
    _ arguments: [String], environment: [String] = [], input: FileDescriptor, control: FileDescriptor
  ) throws(KernelError) {
    var program = Program()
    let null = try program.openNull()
    let executable = try ReadOnlyProgram.own()
    var descriptors = Program.Descriptors(
      input: Program.Handle(input), output: null, error: Program.Handle(.standardError))
    descriptors.record = Program.Handle(control)
    descriptors.program = Program.Handle(executable.file.fileDescriptor)
    program.arrange(descriptors)
    try program.changeFolder(to: "/", for: "enter")
    try program.executeDescriptor(arguments, environment: environment, Self.name)
    let spawned = try program.spawn(.sharedAlike)
    pidfd = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    _ = try report.confirm(pidfd, purposes: program.purposes, command: Self.name)
  }

  /// Kills the helper, and returns once it has ended.
  public func end() { ProcessHandle.end(pidfd) }
}
