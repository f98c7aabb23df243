extension StackFile.HealthOverrides {
  static let keys = KeyTable<StackFile.HealthOverrides>(
    "healthcheck",
    [
      .read("test", "the command: text for a shell, or a list that begins with CMD, CMD-SHELL or NONE") {
        field, draft in
        field.readTest(into: &draft)
      },
      .read("interval", "between two probes; 30s") { field, draft in
        draft.interval = field.probeDuration()
      }.optional,
      .read("timeout", "how long a probe may take; 30s") { field, draft in
        draft.timeout = field.probeDuration()
      }.optional,
      .read("retries", "failures in a row that make the service unhealthy; 3") { field, draft in
        draft.retries = field.integer(in: 0...1_000_000).flatMap { $0.value == 0 ? nil : $0.value }
      }.optional,
      .read("start_period", "how long failures do not count; 0s") { field, draft in draft.startPeriod = field.duration()
      }.optional,
      .read("start_interval", "between two probes inside start_period; 5s") { field, draft in
        draft.startInterval = field.probeDuration()
      }.optional,
      .read("disable", "true: no health check") { field, draft in draft.isDisabled = field.boolean() ?? false },
    ])
}

extension Field {
  func healthOverrides() -> StackFile.HealthOverrides {
    var draft = StackFile.HealthOverrides()
    StackFile.HealthOverrides.keys.read(self, into: &draft)
    return draft
  }

  /// Nil when it is disabled. One that is wrong is reported and still one, so that nobody is said to wait in vain for it.
  ///
  /// - Parameter hasImage: whether there is an image to say what is missing.
  func healthCheck(_ draft: StackFile.HealthOverrides, hasImage: Bool) -> StackFile.HealthCheck? {
    if draft.isDisabled || hasImage && draft.test == nil { return nil }
    if draft.test == nil, node.entries != nil, node["test"] == nil {
      report(
        .missingKey, "a health check needs a \"test\"", at: key, help: ["write `test: [CMD, curl, -f, localhost]`"])
    }
    var check = StackFile.HealthCheck(test: draft.test ?? Located(.command([]), key))
    check.interval = draft.interval ?? check.interval
    check.timeout = draft.timeout ?? check.timeout
    check.startPeriod = draft.startPeriod ?? check.startPeriod
    check.startInterval = draft.startInterval ?? check.startInterval
    check.retries = draft.retries ?? check.retries
    return check
  }

  /// 0 stands for the usual duration, as with Docker.
  fileprivate func probeDuration() -> Duration? {
    guard let duration = duration() else { return nil }
    guard duration != .zero else { return nil }
    guard duration >= .milliseconds(1) else {
      report(.badDuration, "\"\(name)\" is shorter than 1ms")
      return nil
    }
    return duration
  }

  fileprivate func readTest(into draft: inout StackFile.HealthOverrides) {
    if isEmpty { return }
    if node.scalar != nil {
      draft.test = nonEmptyText().map { Located(.shell($0.value), $0.span) }
      return
    }
    guard let items = items() else { return }
    let words = items.compactMap { $0.text() }
    guard words.count == items.count else { return }
    guard let first = words.first else {
      report(.emptyText, "\"test\" is empty", help: ["write `test: [NONE]` for no health check"])
      return
    }
    let rest = words.dropFirst().map(\.value)
    switch first.value {
    case "NONE": draft.isDisabled = true
    case "CMD" where !rest.isEmpty: draft.test = Located(.command(rest), node.span)
    case "CMD-SHELL" where rest.count == 1: draft.test = Located(.shell(rest[0]), node.span)
    case "CMD": report(.emptyText, "\"test\" has no command after CMD")
    case "CMD-SHELL":
      report(.wrongShape, "\"test\" has \(rest.count) texts after CMD-SHELL", "it takes one, which a shell runs")
    default:
      report(
        .badChoice, "\"test\" begins with \"\(Self.shortened(first.value))\"",
        Suggestion.question(about: first.value, among: ["CMD", "CMD-SHELL", "NONE"]), at: first.span,
        help: ["a list begins with CMD, CMD-SHELL or NONE"])
    }
  }

  /// `no`, `always`, `on-failure[:N]`, `unless-stopped`.
  func restartPolicy() -> StackFile.RestartPolicy? {
    // YAML 1.1 reads `no` as false, and people write it so.
    if case .bool(false)? = node.scalar.map(CoreSchema.value(of:)) { return .no }
    guard let text = nonEmptyText() else { return nil }
    let parts = text.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], parts.count) {
    case ("no", 1): return .no
    case ("always", 1): return .always
    case ("unless-stopped", 1): return .unlessStopped
    case ("on-failure", 1): return .onFailure(maximumRetries: nil)
    case ("on-failure", 2):
      guard let count = UInt32(parts[1]) else {
        report(.numberOutOfRange, "\"restart\": \"\(parts[1])\" is not a number of attempts")
        return nil
      }
      return .onFailure(maximumRetries: count == 0 ? nil : Int(count))
    default:
      reportChoice(text.value, among: ["no", "always", "on-failure", "on-failure:3", "unless-stopped"])
      return nil
    }
  }
}
