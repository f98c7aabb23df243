public import Runtime

/// Where an instance of a service stands.
public enum ServicePhase: String, Codable, Hashable, Sendable {
  /// Its namespace and links are made, or it waits for others.
  case created
  /// It runs and is not ready yet.
  case starting
  case running
  /// It ended and waits to be started again.
  case restarting
  case exited

  var isAlive: Bool { self == .starting || self == .running }
}

/// What is known of one instance: written after each change, read by every command, also when no supervisor runs.
public struct ServiceRecord: Codable, Hashable, Sendable {
  public var service: String
  public var phase: ServicePhase
  /// PID 1 of the service, as the host sees it.
  public var process: ProcessIdentity?
  /// Seconds since 1970, with a fraction.
  public var startedAt: Double?
  public var finishedAt: Double?
  /// The exit code, 128+n for a signal.
  public var exitCode: Int?
  /// How often its restart policy has started it again since a person did.
  public var restarts: Int
  /// What its health check found, if it has one. True only while it runs: see ``healthStatus``.
  public var health: Health?
  /// Seconds since 1970: since when it stands still, if it does.
  public var pausedAt: Double?
  /// Whether the kernel has ended processes of its last run because there was no memory left.
  public var ranOutOfMemory: Bool?
  /// Stopped by a person: not started again by its restart policy.
  public var isStoppedByHand: Bool

  public init(service: String) {
    self.service = service
    phase = .created
    restarts = 0
    isStoppedByHand = false
  }
}

extension ServiceRecord {
  /// What a health check has found so far.
  public struct Health: Codable, Hashable, Sendable {
    public enum Status: String, Codable, Hashable, Sendable {
      case starting, healthy, unhealthy
    }
    public var status = Status.starting
    /// Failures in a row that count.
    public var failures = 0
    /// The last five, oldest first; also those of former runs of the service.
    public var results: [Result] = []

    /// One probe.
    public struct Result: Codable, Hashable, Sendable {
      /// Seconds since 1970, with a fraction.
      public var startedAt: Double
      public var finishedAt: Double
      /// As a shell has it; -1 when the probe ran out of time or could not be started.
      public var exitCode: Int
      /// The first 4 KB of what it wrote, or why there was nothing.
      public var output: String
    }
  }

  /// nil for a service that does not run, or has no health check.
  public var healthStatus: Health.Status? { phase.isAlive ? health?.status : nil }
}
