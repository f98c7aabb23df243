/// A look at a request from outside, while it is on its way.
package struct RequestWatch: Sendable {
  /// True if nobody wants the answer any more.
  package var isStopped: @Sendable () -> Bool
  /// Gets what a person who waits should know: `cannot reach …; trying again in 2 s`.
  package var notify: @Sendable (String) -> Void

  package init(isStopped: @escaping @Sendable () -> Bool, notify: @escaping @Sendable (String) -> Void) {
    (self.isStopped, self.notify) = (isStopped, notify)
  }
}
