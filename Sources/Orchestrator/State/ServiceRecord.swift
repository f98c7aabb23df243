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
  public var restarts: Int
  public var health: Health?
  /// Stopped by a person: not started again by its restart policy.
  public var isStoppedByHand: Bool

  public enum Health: String, Codable, Hashable, Sendable {
    case starting, healthy, unhealthy
  }

  public init(service: String) {
    self.service = service
    phase = .created
    restarts = 0
    isStoppedByHand = false
  }
}
