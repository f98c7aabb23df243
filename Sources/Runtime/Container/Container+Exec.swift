import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// A command to run beside what runs in a container.
public struct ExecSpec: Sendable {
  public var process: ContainerProcess
  /// A terminal of the container's own between the command and the caller's 0, 1 and 2. Otherwise the command has these themselves,
  /// and pipes in place of those that are terminals.
  public var terminal = false
  /// True if a calling program first executes itself again from a read-only mount (``ReadOnlyProgram/ensureOwn()``). It
  /// does so only where the container has the caller's own users, who alone could write to its file.
  public var protectsProgram = false
  /// True if the container has a time namespace of its own.
  public var entersTimeNamespace = false

  public init(_ process: ContainerProcess) {
    self.process = process
  }

  public init(_ arguments: [String]) {
    self.init(ContainerProcess(arguments))
  }
}

/// Operations on a running container.
public enum Container {
  /// Runs a command in the namespaces of the process behind `pidfd`, in the foreground, and waits for its end.
  ///
  /// Signals that reach the caller meanwhile are passed on to the command: HUP, INT, QUIT, TERM, USR1, USR2, ALRM, CONT.
  /// They are held back in the calling thread alone, so call this while the process has no other thread that takes
  /// signals. The command is in a session of its own: it cannot push input into the caller's terminal (TIOCSTI).
  ///
  /// Throws what failed; `KernelError.execShellCode` is the code to exit with when it was the command itself.
  public static func exec(
    into pidfd: borrowing Descriptor, _ spec: ExecSpec
  ) throws(KernelError) -> TerminationStatus {
    guard !spec.terminal else { return try execAtTerminal(into: pidfd, spec) }
    var program = Program()
    var streams = try CallersStreams()
    let command = try compile(
      spec, streams: .given(streams.given), pidfd: pidfd.fileDescriptor, into: &program)

    let foreground = try Foreground()
    let spawned = try program.spawn(cgroup: spec.process.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
    let process = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    streams.letGo()
    _ = try report.confirm(process, purposes: program.purposes, command: command)
    if streams.carries {
      try foreground.carry(&streams, until: process)
    } else {
      try foreground.wait(for: process)
    }
    return try status(of: process, command)
  }

  private static func execAtTerminal(
    into pidfd: borrowing Descriptor, _ spec: ExecSpec
  ) throws(KernelError) -> TerminationStatus {
    var program = Program()
    let command = try compile(spec, streams: .terminal, pidfd: pidfd.fileDescriptor, into: &program)
    let foreground = try Foreground()
    let spawned = try program.spawn(cgroup: spec.process.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
    let process = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    var outcome = try report.confirm(process, purposes: program.purposes, command: command)
    if let terminal = outcome.terminal.take() {
      try foreground.relay(terminal, until: process)
    } else {
      try foreground.wait(for: process)
    }
    return try status(of: process, command)
  }

  private static func status(
    of process: borrowing Descriptor, _ command: String
  ) throws(KernelError) -> TerminationStatus {
    guard let status = try ProcessHandle.wait(for: process) else {
      throw KernelError("wait for", command, errno: .noChildProcess)
    }
    return status
  }

  /// The targets of the command's descriptors 0, 1 and 2.
  enum Streams {
    /// To these of the caller's; nil leads nowhere.
    case given([FileDescriptor?])
    case terminal
    /// Nothing to read; what is written goes to this descriptor of the caller's.
    case captured(FileDescriptor)
  }

  static func compile(
    _ spec: ExecSpec, streams: Streams, pidfd: FileDescriptor, into program: inout Program
  ) throws(KernelError) -> String {
    let command = try spec.process.command()
    // The command is among the service's processes before it has been executed, with the caller's memory and descriptors.
    try Dumpability.renounce()
    try program.begin(spec.process, of: command)
    let target = try Target(pidfd)
    var credentials = Credentials()
    if spec.process.user?.isEmpty == false || !spec.process.groups.isEmpty {
      let root = try target.root()
      credentials = try spec.process.credentials(root: root.fileDescriptor)
    }
    let identities = try target.identities()
    if identities == nil, spec.protectsProgram { try ReadOnlyProgram.ensureOwn() }
    if let identities {
      try credentials.checkMapped()
      give(streams, to: identities.first + credentials.uid, in: &program)
    }
    let null = try program.openNull()
    // The pid namespace is joined before the child is made: it takes effect for children only.
    program.enter(
      CloneFlag.mount | CloneFlag.uts | CloneFlag.ipc | CloneFlag.network | CloneFlag.cgroup
        | (spec.entersTimeNamespace ? CloneFlag.time : 0) | (identities == nil ? 0 : CloneFlag.user),
      of: .init(pidfd), for: "enter the namespaces of", "the service")
    if identities != nil { program.becomeRoot() }
    try arrange(streams, null: null, credentials: credentials, in: &program)
    program.startSession()
    if case .terminal = streams { program.takeTerminal() }
    try program.changeFolder(to: spec.process.workingDirectory, for: "enter working directory")
    program.confine(spec.process, as: credentials)
    try program.execute(spec.process, as: credentials)
    return command
  }

  private static func arrange(
    _ streams: Streams, null: Program.Handle, credentials: Credentials, in program: inout Program
  ) throws(KernelError) {
    switch streams {
    case .terminal:
      let folder = try program.open("/dev/pts", OpenFlag.path | O_DIRECTORY | O_NOFOLLOW)
      let (master, peer) = try program.openTerminal(in: folder, size: Foreground.callersTerminalSize())
      program.send(master, as: .terminal, "the terminal")
      program.giveTo(credentials.uid, peer, "the terminal")
      program.arrange(.init(input: peer, output: peer, error: peer))
    case .captured(let output):
      program.arrange(.init(input: null, output: .init(output), error: .init(output)))
    case .given(let given):
      let handles = given.map { $0.map { Program.Handle($0) } ?? null }
      program.arrange(.init(input: handles[0], output: handles[1], error: handles[2]))
    }
  }

  /// Pipes without a name become the command's user's, as by crun and runc, so that it can open /dev/stderr: outside they
  /// are known to those alone who hold them. Terminals and files stay whose they are.
  private static func give(_ streams: Streams, to user: UInt32, in program: inout Program) {
    let numbers: [CInt] =
      switch streams {
      case .terminal: []
      case .captured(let output): [output.rawValue]
      case .given(let given): given.compactMap { $0?.rawValue }
      }
    for number in numbers where stack_file_system_type("/proc/self/fd/\(number)") == FileSystemType.pipe {
      program.giveTo(user, Program.Handle(rawValue: number), "a pipe")
    }
  }

  /// The root folder of the process behind `pidfd`, as a descriptor that paths can be opened from.
  public static func root(of pidfd: borrowing Descriptor) throws(KernelError) -> Descriptor {
    try Target(pidfd.fileDescriptor).root()
  }
}

extension KernelError {
  /// The exit code of a shell when the command itself could not be executed: 127 when it does not exist, 126 otherwise.
  /// `nil` for every other failure.
  public var execShellCode: Int32? {
    action == "execute" ? TerminationStatus.shellCode(forFailedExec: errno) : nil
  }
}
