import Intent
import Runtime

/// The state of one instance. It is written after each change, and read by every command, also when no supervisor runs.
package struct ServiceRecord: Codable, Hashable, Sendable {
  package var service: String
  package var phase: ServicePhase
  /// PID 1 of the service, as the host sees it.
  package var process: ProcessIdentity?
  /// Seconds since 1970, with a fraction.
  package var startedAt: Double?
  package var finishedAt: Double?
  /// The exit code, 128+n for a signal.
  package var exitCode: Int?
  /// The number of restarts by its restart policy since a person started it.
  package var restarts: Int
  /// The result of its health check, if it has one. It holds only while the service runs: see ``healthStatus``.
  package var health: Health?
  /// Seconds since 1970: since when it stands still, if it does.
  package var pausedAt: Double?
  /// True if the kernel's OOM killer ended processes of its last run.
  package var ranOutOfMemory: Bool?
  /// Stopped by a person: not started again by its restart policy.
  package var isStoppedByHand: Bool
  /// The master of its terminal among the supervisor's descriptors, where no stack-init keeps it.
  package var terminal: Int32?

  package init(service: String) {
    self.service = service
    phase = .created
    restarts = 0
    isStoppedByHand = false
  }
}

extension ServiceRecord {
  /// The results of a health check so far.
  package struct Health: Codable, Hashable, Sendable {
    package enum Status: String, Codable, Hashable, Sendable {
      case starting, healthy, unhealthy
    }
    package var status = Status.starting
    /// Failures in a row that count.
    package var failures = 0
    /// The last five, oldest first; also those of former runs of the service.
    package var results: [Result] = []

    package init(status: Status = .starting, failures: Int = 0, results: [Result] = []) {
      self.status = status
      self.failures = failures
      self.results = results
    }

    /// One probe.
    package struct Result: Codable, Hashable, Sendable {
      /// Seconds since 1970, with a fraction.
      package var startedAt: Double
      package var finishedAt: Double
      /// The exit code as a shell has it; -1 when the probe ran out of time or could not be started.
      package var exitCode: Int
      /// The first 4 KB of what it wrote, or why there was nothing.
      package var output: String

      package init(startedAt: Double, finishedAt: Double, exitCode: Int, output: String) {
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
        self.output = output
      }
    }
  }

  /// nil for a service that does not run, or has no health check.
  package var healthStatus: Health.Status? { phase.isAlive ? health?.status : nil }
}
