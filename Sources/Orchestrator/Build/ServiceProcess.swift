import Kernel
import Runtime

/// A service's process 1, held by its pidfd.
final class ServiceProcess: Sendable {
  let process: LaunchedProcess

  init(_ process: consuming LaunchedProcess) {
    self.process = process
  }

  /// The process of a record, if it still runs.
  init?(_ identity: ProcessIdentity) {
    guard case .some(let pidfd) = try? identity.open() else { return nil }
    process = LaunchedProcess(identity: identity, pidfd: pidfd)
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
