import Intent

/// The steps from what is to what should be, in an order that works.
///
/// `up`, `down`, `start`, `stop`, `restart` and `--dry-run` are all uses of this one value.
package struct Plan: Hashable, Sendable {
  /// A part of the plan that ends before the next one begins.
  package enum Stage: Hashable, Sendable {
    /// One after the other.
    case serial([Step])
    /// Side by side, each lane when the lanes that it waits for have come far enough.
    case lanes([Lane])
  }

  /// Steps for one service, one after the other.
  package struct Lane: Hashable, Sendable {
    /// nil for what services share.
    package var service: String?
    package var waitsFor: [Gate] = []
    package var steps: [Step]
  }

  /// A condition that has to come true before a lane begins.
  package enum Gate: Hashable, Sendable {
    /// Another lane's last step.
    case lane(String)
    /// A condition that an instance of a service fulfils after it has started.
    case condition(instance: String, Dependency.Condition, isRequired: Bool)
  }

  package var stages: [Stage]
  /// The reason for each change of a service: `web1: created`, `web2: recreated, environment changed`.
  package var reasons: [Reason]

  package struct Reason: Codable, Hashable, Sendable {
    package var service: String
    package var text: String
  }

  package init(stages: [Stage], reasons: [Reason] = []) {
    self.stages = stages.filter { !$0.steps.isEmpty }
    self.reasons = reasons
  }

  package var steps: [Step] { stages.flatMap(\.steps) }
  package var isEmpty: Bool { stages.isEmpty }
}

extension Plan.Stage {
  package var steps: [Step] {
    switch self {
    case .serial(let steps): steps
    case .lanes(let lanes): lanes.flatMap(\.steps)
    }
  }
}
