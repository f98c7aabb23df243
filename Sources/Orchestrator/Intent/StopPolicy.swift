import Vocabulary

/// The way in which a service is ended: its signal, and the time until SIGKILL.
package struct StopPolicy: Usual, Sendable {
  /// The signal's number.
  package var signal: Int32
  /// The time between the stop signal and SIGKILL.
  package var grace: Duration

  package init(signal: Int32, grace: Duration) {
    self.signal = signal
    self.grace = grace
  }

  /// SIGTERM, and ten seconds.
  package init() {
    self.init(signal: 15, grace: .seconds(10))
  }
}
