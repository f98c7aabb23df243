import Glibc
import Isolation
import Kernel
import SystemPackage

/// The context of a process in a container: a command, and as whom, where and with which limits it runs.
///
/// The container's first process has one, and so has each that joins it (``ExecSpec``).
public struct ContainerProcess: Sendable {
  /// The first is looked up, inside, in the PATH of `environment` unless it holds a slash.
  public var arguments: [String]
  /// `NAME=value`, all of it: nothing comes from the caller's own. HOME and PATH are added when missing.
  public var environment: [String] = []
  /// Inside the container. For the first process it is made when missing; others need it to exist.
  public var workingDirectory = "/"
  /// `name`, `uid`, `name:group`, `uid:gid`: names are looked up in the container's own files. `nil` is root.
  public var user: String?
  /// Names or numbers of further groups.
  public var groups: [String] = []
  public var umask: UInt16 = 0o022
  /// Capabilities, the seccomp filter, and what of /proc is hidden.
  public var confinement = Confinement()
  public var limits: [ProcessLimit] = []
  /// Nil: the caller's own.
  public var openFiles: OpenFileLimit?
  /// -1000 to 1000; lower than the caller's own takes CAP_SYS_RESOURCE.
  public var oomScoreAdjustment: Int32?
  /// A cgroup v2 folder for it to be born in.
  public var cgroup: FileDescriptor?
  /// Files of cgroups of version 1 for it to enter: ``ControlGroupEntrance/open``.
  public var cgroupEntrances: [String] = []

  public init(_ arguments: [String]) {
    self.arguments = arguments
  }

  /// Looks its user and groups up below a root folder.
  func credentials(root: FileDescriptor) throws(KernelError) -> Credentials {
    try Credentials.resolve(user, root: root).joining(groups, root: root)
  }

  /// The first argument. An empty command throws EINVAL.
  func command() throws(KernelError) -> String {
    guard let command = arguments.first else {
      throw KernelError("execute", "an empty command", errno: .invalidArgument)
    }
    return command
  }
}

extension Program {
  /// Begins as a process of this context: in its cgroups, and with what only a process with rights over the host may have.
  ///
  /// To be called first, while the host's /proc is there.
  mutating func begin(_ process: ContainerProcess, of subject: String) throws(KernelError) {
    try enter(process.cgroupEntrances)
    if let openFiles = process.openFiles {
      setLimit(UInt64(RLIMIT_NOFILE.rawValue), openFiles.value, for: "set", "the limit of open files")
    }
    try raise(process.limits)
    if let adjustment = process.oomScoreAdjustment {
      try write(String(adjustment), to: "/proc/self/oom_score_adj", for: "set the OOM score of", subject)
    }
  }

  /// Takes away from the process what its context does not leave it. Nothing but exec comes after it.
  mutating func confine(_ process: ContainerProcess, as credentials: Credentials) {
    // Only now: with few descriptors, or little memory, nothing before could be done.
    limit(process.limits)
    setUmask(process.umask)
    drop(to: credentials, process.confinement)
  }

  /// Executes the command, looked up inside.
  mutating func execute(_ process: ContainerProcess, as credentials: Credentials) throws(KernelError) {
    let (command, environment) = (try process.command(), credentials.completing(process.environment))
    try execute(
      process.arguments, environment: environment,
      candidates: ContainerPath.candidates(for: command, environment: environment), command)
  }
}
