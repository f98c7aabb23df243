import Kernel
import Runtime
import Synchronization

/// The control groups of this host, looked up when they are first asked for.
///
/// Looking them up reads a line for each mount of the host, of which each service has two. A command needs them up to
/// four times.
package final class ObservedControlGroups: Sendable {
  private let found = Mutex<ControlGroups?>(nil)

  package init() {}

  package func groups() throws(KernelError) -> ControlGroups {
    try found.withLock { found throws(KernelError) in
      if let found { return found }
      let observed = try ControlGroups.observe()
      found = observed
      return observed
    }
  }
}
