import Kernel
import Runtime

/// The time from one start of the host to the next. What was recorded in another is history: no process of it runs, and
/// its numbers may be others' by now.
package enum Boot {
  /// The id of this boot of the host.
  package static func current() throws(KernelError) -> String { try ProcessIdentity.currentBootID() }
}
