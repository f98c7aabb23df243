import Kernel
import Runtime
import Synchronization

/// A service's process 1, held by its pidfd.
final class ServiceProcess: Sendable {
  let process: LaunchedProcess
  /// Its FIFOs, held open until somebody reads them.
  private let output: Mutex<[SharedDescriptor]>

  init(_ process: consuming LaunchedProcess, output: [SharedDescriptor]) {
    self.process = process
    self.output = Mutex(output)
  }

  /// Lets go of the FIFOs: they are read by now.
  func releaseOutput() {
    output.withLock { $0 = [] }
  }

  /// The process of a record, if it still runs.
  init?(_ identity: ProcessIdentity) {
    guard case .some(let pidfd) = try? identity.open() else { return nil }
    process = LaunchedProcess(identity: identity, pidfd: pidfd)
    output = Mutex([])
  }

  var identity: ProcessIdentity { process.identity }
}

/// A network namespace that several places hold on to.
final class SharedNamespace: Sendable {
  let namespace: NetworkNamespace

  init(_ namespace: consuming NetworkNamespace) {
    self.namespace = namespace
  }

  var descriptor: Descriptor {
    _read { yield namespace.descriptor }
  }
}
