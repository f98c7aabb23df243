/// `deploy: restart_policy:` as it is read.
struct DeployedRestart {
  enum Condition: String, CaseIterable {
    case none, any
    case onFailure = "on-failure"
    /// Not of the specification: people write the words of `restart:`, and Compose takes them.
    case always
    case unlessStopped = "unless-stopped"
  }

  var condition = Condition.any
  var attempts: Int?

  static let keys = KeyTable<DeployedRestart>(
    "restart_policy",
    [
      .read("condition", "none, on-failure or any; any") { field, policy in
        policy.condition = field.choice(Condition.self)?.value ?? .any
      }.optional,
      .read("max_attempts", "how often at most, after failures; 0 for any number") { field, policy in
        policy.attempts = field.integer(in: 0...Int(UInt32.max)).flatMap { $0.value == 0 ? nil : $0.value }
      }.optional,
      .ignored("delay", "the pause is 100ms and doubles, up to a minute"),
      .ignored("window", "a run of 10s counts as success"),
    ])

  var value: StackFile.RestartPolicy {
    switch condition {
    case .none: .no
    case .unlessStopped: .unlessStopped
    case .any, .always: attempts.map { .onFailure(maximumRetries: $0) } ?? .always
    case .onFailure: .onFailure(maximumRetries: attempts)
    }
  }
}
