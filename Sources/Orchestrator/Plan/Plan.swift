/// The steps from what is to what should be, in an order that works.
///
/// `up`, `down`, `start`, `stop`, `restart` and `--dry-run` are all uses of this one value.
public struct Plan: Hashable, Sendable {
  /// What has to be complete before the next stage begins.
  public enum Stage: Hashable, Sendable {
    /// One after the other.
    case serial([Step])
    /// Side by side, each lane when the lanes that it waits for have come far enough.
    case lanes([Lane])
  }

  /// Steps for one service, one after the other.
  public struct Lane: Hashable, Sendable {
    /// nil for what services share.
    public var service: String?
    public var waitsFor: [Gate] = []
    public var steps: [Step]
  }

  /// What a lane waits for.
  public enum Gate: Hashable, Sendable {
    /// Another lane's last step.
    case lane(String)
    /// A condition that an instance of a service fulfils after it has started.
    case condition(instance: String, Dependency.Condition, isRequired: Bool)
  }

  public var stages: [Stage]
  /// Why each service that is not left alone is touched: `web1: created`, `web2: recreated, environment changed`.
  public var reasons: [Reason]

  public struct Reason: Codable, Hashable, Sendable {
    public var service: String
    public var text: String
  }

  public init(stages: [Stage], reasons: [Reason] = []) {
    self.stages = stages.filter { !$0.steps.isEmpty }
    self.reasons = reasons
  }

  public var steps: [Step] { stages.flatMap(\.steps) }
  public var isEmpty: Bool { stages.isEmpty }
}

extension Plan.Stage {
  public var steps: [Step] {
    switch self {
    case .serial(let steps): steps
    case .lanes(let lanes): lanes.flatMap(\.steps)
    }
  }
}
