import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// A command to run beside what runs in a container.
public struct ExecSpec: Sendable {
  /// The first is looked up, inside, in the PATH of `environment` unless it holds a slash.
  public var arguments: [String]
  /// `NAME=value`, all of it: nothing comes from the caller's own. HOME and PATH are added when missing.
  public var environment: [String] = []
  /// Inside the container. It must exist.
  public var workingDirectory = "/"
  /// As ``ContainerProcess/user``.
  public var user: String?
  /// A terminal of the container's own between the command and the caller's 0, 1 and 2. Otherwise the command has these themselves,
  /// and pipes in place of those that are terminals.
  public var terminal = false
  /// True if the calling program, if the container has the caller's own users, first begins anew by way of a read-only mount
  /// (``ReadOnlyProgram/ensureOwn()``): only those users could write to its file.
  public var protectsProgram = false
  /// The container's cgroup v2 folder.
  public var cgroup: FileDescriptor?
  /// As ``ContainerSpec/cgroupEntrances``.
  public var cgroupEntrances: [String] = []
  public var limits: [ProcessLimit] = []
  /// As ``ContainerSpec/oomScoreAdjustment``.
  public var oomScoreAdjustment: Int32?
  /// As ``ContainerSettings/groups``.
  public var groups: [String] = []
  /// True if the container has a time namespace of its own.
  public var entersTimeNamespace = false
  public var confinement = Confinement()
  /// Nil: the caller's own.
  public var openFiles: OpenFileLimit?

  public init(_ arguments: [String]) {
    self.arguments = arguments
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
    let spawned = try program.spawn(cgroup: spec.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
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
    let spawned = try program.spawn(cgroup: spec.cgroup, pidNamespaceOf: pidfd.fileDescriptor)
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
    guard let command = spec.arguments.first else {
      throw KernelError("execute", "an empty command", errno: .invalidArgument)
    }
    // The command is among the service's processes before it has been executed, with the caller's memory and descriptors.
    try Dumpability.renounce()
    try program.enter(spec.cgroupEntrances)
    try program.limit(spec.openFiles)
    try program.raise(spec.limits)
    try program.adjustOOMScore(by: spec.oomScoreAdjustment, of: command)
    let target = try Target(pidfd)
    var credentials = Credentials()
    if spec.user?.isEmpty == false || !spec.groups.isEmpty {
      let root = try target.root()
      credentials = try Credentials.resolve(spec.user, root: root.fileDescriptor)
        .joining(spec.groups, root: root.fileDescriptor)
    }
    let identities = try target.identities()
    if identities == nil, spec.protectsProgram { try ReadOnlyProgram.ensureOwn() }
    if let identities {
      try credentials.checkMapped()
      try give(streams, to: identities.first + credentials.uid, in: &program)
    }
    let null = try program.openNull()
    // The pid namespace is joined before the child is made: it takes effect for children only.
    try program.add(
      STACK_OP_SETNS, for: "enter the namespaces of", "the service", .init(pidfd),
      flags: CloneFlag.mount | CloneFlag.uts | CloneFlag.ipc | CloneFlag.network | CloneFlag.cgroup
        | (spec.entersTimeNamespace ? CloneFlag.time : 0) | (identities == nil ? 0 : CloneFlag.user))
    if identities != nil { try program.becomeRoot() }
    try arrange(streams, null: null, credentials: credentials, in: &program)
    try program.add(STACK_OP_SETSID, for: "start", "a session")
    if case .terminal = streams {
      try program.add(STACK_OP_CONTROLLING_TERMINAL, for: "take", "the terminal")
    }
    try program.limit(spec.limits)
    try program.add(STACK_OP_UMASK, for: "set", "the umask", number: 0o022)
    try program.add(
      STACK_OP_CHDIR, for: "enter working directory", spec.workingDirectory, path: spec.workingDirectory)
    try program.drop(to: credentials, spec.confinement)
    let environment = credentials.completing(spec.environment)
    let data = try program.command(
      argv: spec.arguments, env: environment,
      candidates: ContainerPath.candidates(for: command, environment: environment))
    try program.add(STACK_OP_EXEC, for: "execute", command, data: data)
    return command
  }

  private static func arrange(
    _ streams: Streams, null: Program.Handle, credentials: Credentials, in program: inout Program
  ) throws(KernelError) {
    var table = [CInt](repeating: -1, count: Int(STACK_FD_COUNT))
    switch streams {
    case .terminal:
      let (multiplexers, multiplexersSlot) = program.newSlot()
      let (master, masterSlot) = program.newSlot()
      let (peer, peerSlot) = program.newSlot()
      try program.add(
        STACK_OP_OPEN, for: "open", "/dev/pts", .currentFolder, slot: multiplexersSlot,
        flags: UInt64(OpenFlag.path | O_DIRECTORY | O_NOFOLLOW), path: "/dev/pts")
      try program.add(
        STACK_OP_TERMINAL, for: "open", "a terminal", multiplexers, slot: masterSlot, slot2: peerSlot,
        number: Foreground.callersTerminalSize(), path: "ptmx")
      try program.add(
        STACK_OP_SEND, for: "hand over", "the terminal", master, number: UInt64(Report.Mark.terminal.rawValue))
      try program.giveTo(credentials.uid, peer, "the terminal")
      for index in 0..<3 { table[index] = peer.rawValue }
    case .captured(let output):
      table[0] = null.rawValue
      (table[1], table[2]) = (output.rawValue, output.rawValue)
    case .given(let given):
      for (index, stream) in given.enumerated() { table[index] = stream?.rawValue ?? null.rawValue }
    }
    let list = program.values(table)
    try program.add(STACK_OP_DESCRIPTORS, for: "arrange", "descriptors", data: list)
  }

  /// Pipes without a name become the command's user's, as by crun and runc, so that it can open /dev/stderr: outside they
  /// are known to those alone who hold them. Terminals and files stay whose they are.
  private static func give(_ streams: Streams, to user: UInt32, in program: inout Program) throws(KernelError) {
    let numbers: [CInt] =
      switch streams {
      case .terminal: []
      case .captured(let output): [output.rawValue]
      case .given(let given): given.compactMap { $0?.rawValue }
      }
    for number in numbers where stack_file_system_type("/proc/self/fd/\(number)") == FileSystemType.pipe {
      try program.giveTo(user, Program.Handle(rawValue: number), "a pipe")
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
