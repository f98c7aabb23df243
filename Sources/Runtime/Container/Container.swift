import CLinux
import Glibc
public import Kernel
import SystemPackage

/// Makes containers. One of these serves any number, from any thread: it holds what all of them share.
public struct ContainerLauncher: ~Copyable, Sendable {
  let template: MountTemplate
  let initProgram: Descriptor?

  /// - Parameter initPath: where stack-init is, or `nil` if every container is to do without.
  public init(initPath: String?) throws(KernelError) {
    let program = try Self.initProgram(initPath)
    let template = try MountTemplate()
    self.template = template
    initProgram = program
  }

  private static func initProgram(_ path: String?) throws(KernelError) -> Descriptor? {
    guard let path else { return nil }
    // Executed from a read-only mount of its own: /proc/1/exe inside leads to this, and so nothing can be written
    // through it to the host's file (CVE-2019-5736).
    let tree = try check("use as stack-init", path) {
      stack_open_tree(AT_FDCWD, path, UInt32(OPEN_TREE_CLONE))
    }
    let descriptor = Descriptor(adopting: tree)
    try check("use as stack-init", path) {
      stack_mount_setattr(
        descriptor.rawValue, "", UInt32(At.emptyPath),
        MountAttribute.readOnly | MountAttribute.noSuid | MountAttribute.noDev, 0, MountFlag.private)
    }
    return .some(descriptor)
  }

  var initNumber: CInt {
    switch initProgram {
    case .some(let descriptor): descriptor.rawValue
    case .none: -1
    }
  }

  /// Makes a container and returns once its command has been executed.
  ///
  /// Throws what could not be set up, or `execute` and the command's name when it could not be executed:
  /// ``TerminationStatus/shellCode(forFailedExec:)`` has the code for that. Nothing is left of it then.
  public func launch(_ spec: ContainerSpec) throws(KernelError) -> LaunchedProcess {
    try begin(spec).finish()
  }

  /// Starts to make a container and returns at once, so that the next can be begun meanwhile.
  public func begin(_ spec: ContainerSpec) throws(KernelError) -> PendingLaunch {
    let root = try RootMount.make(spec.root)
    let credentials = try Credentials.resolve(spec.process.user, root: root.fileDescriptor)
    var builder = ContainerProgram(spec: spec, credentials: credentials)
    try builder.build(root: root.fileDescriptor, launcher: self)
    let spawned = try builder.spawn()
    return PendingLaunch(
      pid: spawned.pid, pidfd: Descriptor(adopting: spawned.pidfd),
      report: Report(channel: Descriptor(adopting: spawned.report)),
      purposes: builder.purposes, command: spec.process.arguments.first ?? "")
  }
}

/// A container that is being made.
public struct PendingLaunch: ~Copyable {
  let pid: Int32
  let pidfd: Descriptor
  let report: Report
  let purposes: [(action: StaticString, subject: String)]
  let command: String

  /// Readable once ``finish()`` will not block for long.
  public var readiness: CInt { report.channel.rawValue }

  /// Waits until the command has been executed.
  public consuming func finish() throws(KernelError) -> LaunchedProcess {
    // Asked for now, while the number is certainly this child's: only `finish` and its caller reap it.
    let identity = try ProcessIdentity(of: pid)
    var outcome = try report.outcome(purposes: purposes, command: command)
    if let failure = outcome.failure {
      _ = try ProcessHandle.wait(for: pidfd)
      throw failure
    }
    return LaunchedProcess(identity: identity, pidfd: pidfd, terminal: outcome.terminal.take())
  }
}

/// A container's process 1.
public struct LaunchedProcess: ~Copyable, Sendable {
  public let identity: ProcessIdentity
  public let pidfd: Descriptor
  /// The master of its terminal, when it has one.
  public let terminal: Descriptor?

  public init(identity: ProcessIdentity, pidfd: consuming Descriptor, terminal: consuming Descriptor? = nil) {
    self.identity = identity
    self.pidfd = pidfd
    self.terminal = terminal
  }

  public var pid: Int32 { identity.pid }
}
