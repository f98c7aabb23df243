/// The phase of an instance's life, as `ps` shows it.
package enum ServicePhase: String, Codable, Hashable, Sendable, CaseIterable {
  /// Its namespace and links are made, or it waits for others.
  case created
  /// It runs and is not ready yet.
  case starting
  case running
  /// It ended and waits to be started again.
  case restarting
  case exited

  package var isAlive: Bool { self == .starting || self == .running }
}
