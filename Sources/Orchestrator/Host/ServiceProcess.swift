import Kernel
import Loop
import Runtime
import Synchronization

/// A service's process 1, held by its pidfd.
package final class ServiceProcess: Sendable {
  package let process: LaunchedProcess
  /// Its FIFOs, held open until somebody reads them.
  private let output: Mutex<[SharedDescriptor]>

  package init(_ process: consuming LaunchedProcess, output: [SharedDescriptor]) {
    self.process = process
    self.output = Mutex(output)
  }

  /// Lets go of the FIFOs: they are read by now.
  package func releaseOutput() {
    output.withLock { $0 = [] }
  }

  /// The process of a record, if it still runs.
  package init?(_ identity: ProcessIdentity) {
    guard case .some(let pidfd) = try? identity.open() else { return nil }
    process = LaunchedProcess(identity: identity, pidfd: pidfd)
    output = Mutex([])
  }

  package var identity: ProcessIdentity { process.identity }

  /// A copy of its terminal's master. stack-init keeps that, and so it outlives a supervisor; without stack-init the supervisor
  /// does, and the service's terminal hangs up with it.
  package func terminal(keptByInit: Bool) throws(KernelError) -> Descriptor? {
    if keptByInit { return try ProcessHandle.terminal(of: process.pidfd) }
    switch process.terminal {
    case .some(let terminal): return try terminal.duplicate()
    case .none: return nil
    }
  }
}

/// A network namespace that several places hold on to.
package final class SharedNamespace: Sendable {
  package let namespace: NetworkNamespace

  package init(_ namespace: consuming NetworkNamespace) {
    self.namespace = namespace
  }

  package var descriptor: Descriptor {
    _read { yield namespace.descriptor }
  }
}
