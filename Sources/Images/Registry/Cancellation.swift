import Synchronization

/// True if what is on its way on other threads is still wanted.
package final class Cancellation: Sendable {
  private let flag = Atomic(false)

  package init() {}

  package func raise() { flag.store(true, ordering: .relaxed) }
  package var isRaised: Bool { flag.load(ordering: .relaxed) }
}
