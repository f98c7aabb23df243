/// The end of a probe: code and text as they go into `ServiceRecord.Health.Result`.
package struct ProbeOutcome: Hashable {
  package var exitCode: Int
  package var output: String

  static func timedOut(after limit: Duration) -> ProbeOutcome {
    ProbeOutcome(exitCode: -1, output: "took longer than its timeout of \(limit)")
  }
}

/// Runs a health check's command, once at a time.
package protocol ProbeRunner: AnyObject {
  /// `completion` is called once, unless the probe is cancelled before.
  func start(timeout: Duration, completion: @escaping (ProbeOutcome) -> Void)
  func cancel()
}
