import Glibc
import Kernel
import SystemPackage

/// Makes containers. One of these serves any number, from any thread: it holds what all of them share.
public struct ContainerLauncher: ~Copyable, Sendable {
  let template: MountTemplate
  let initProgram: Descriptor?

  /// Makes the calling process undumpable, as containers share its memory for a moment (``Dumpability``).
  ///
  /// - Parameter initPath: where stack-init is, or `nil` if every container is to do without.
  public init(initPath: String?) throws(KernelError) {
    try Dumpability.renounce()
    let program = try Self.initProgram(initPath)
    let template = try MountTemplate()
    self.template = template
    initProgram = program
  }

  private static func initProgram(_ path: String?) throws(KernelError) -> Descriptor? {
    guard let path else { return nil }
    return try ReadOnlyProgram(path).withoutMount()
  }

  var initNumber: CInt {
    switch initProgram {
    case .some(let descriptor): descriptor.rawValue
    case .none: -1
    }
  }

  /// Makes a container and returns once its command has been executed. The calling thread sleeps meanwhile: to make
  /// several at once, call from several threads.
  ///
  /// Throws what could not be set up, or `execute` and the command's name when it could not be executed:
  /// ``TerminationStatus/shellCode(forFailedExec:)`` has the code for that. Nothing is left of it then.
  public func launch(_ spec: ContainerSpec) throws(KernelError) -> LaunchedProcess {
    let root = try RootMount.make(spec.root, for: spec.identities)
    let credentials = try spec.process.credentials(root: root.tree.fileDescriptor)
    if spec.identities != nil { try credentials.checkMapped() }
    var program = ContainerProgram(spec: spec, credentials: credentials)
    try program.build(root: root, launcher: self)
    let spawned = try program.spawn()
    let pidfd = Descriptor(adopting: spawned.pidfd)
    let report = Report(channel: Descriptor(adopting: spawned.report))
    var outcome: Report.Outcome
    do {
      outcome = try report.confirm(
        pidfd, purposes: program.purposes, command: spec.process.arguments.first ?? "")
    } catch {
      throw RootMount.unmappable(error)
    }
    let identity: ProcessIdentity
    do {
      // The number is certainly this child's: nobody else reaps it.
      identity = try ProcessIdentity(of: spawned.pid)
    } catch {
      ProcessHandle.end(pidfd)
      throw error
    }
    return LaunchedProcess(identity: identity, pidfd: pidfd.raised(), terminal: outcome.terminal.take())
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

  /// The number of the terminal's master among the descriptors of this process.
  public var terminalNumber: Int32? {
    switch terminal {
    case .some(let terminal): terminal.rawValue
    case .none: nil
    }
  }
}
