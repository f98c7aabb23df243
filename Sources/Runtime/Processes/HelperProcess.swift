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

  /// Ends it, and returns once it has ended.
  public func end() { ProcessHandle.end(pidfd) }
}
