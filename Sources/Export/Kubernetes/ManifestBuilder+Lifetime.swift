import Isolation
import StackFiles
import Vocabulary

extension ManifestBuilder {
  // MARK: - Limits

  mutating func resources(_ service: StackFile.Service) -> OutputValue {
    let limits = service.limits
    /// Thousandths of a processor.
    func processors(_ thousandths: UInt64) -> OutputValue { .text("\(thousandths)m") }
    let quota = limits.processorQuota.map { processors(max(1, $0 / 100)) }
    let shares = limits.processorShares.map { processors(max(1, $0 * 1000 / 1024)) }
    let most: OutputValue = .mapping([
      "cpu": quota, "memory": limits.memory.map { .text("\($0)") },
      "ephemeral-storage": service.settings.writableSize.map { .text("\($0)") },
    ])
    let least: OutputValue = .mapping([
      "cpu": shares, "memory": limits.reservedMemory.map { .text("\($0)") },
    ])
    if let quota = limits.processorQuota, let shares = limits.processorShares, shares * 1000 / 1024 > quota / 100 {
      ledger.note(
        key(service, "cpu_shares"), .lost, "a request is not more than its limit", do: "raise `cpus:` or leave it out")
      return .mapping(["limits": most.unlessEmpty])
    }
    return .mapping(["limits": most.unlessEmpty, "requests": least.unlessEmpty])
  }

  // MARK: - Health

  private func probe(_ check: StackFile.HealthCheck, _ rest: KeyValuePairs<String, OutputValue?>) -> OutputValue {
    let words: [String] =
      switch check.test.value {
      case .command(let words): words
      case .shell(let text): ["/bin/sh", "-c", text]
      }
    return OutputValue.mapping(["exec": .mapping(["command": .texts(words.map(Self.unexpanded))])])
      .adding(rest.compactMap { key, value in value.map { .init(key: key, value: $0) } })
  }

  /// Not a livenessProbe: an unhealthy service is not restarted here.
  mutating func readinessProbe(_ service: StackFile.Service) -> OutputValue? {
    guard let check = service.healthCheck else {
      noteImagesCheck(service)
      return nil
    }
    for (name, duration) in [("interval", check.interval), ("timeout", check.timeout)] {
      let seconds = max(1, duration.wholeSeconds)
      if duration != .seconds(seconds) {
        ledger.settle(key(service, "healthcheck.\(name)"), .changed, "\(seconds) s: whole seconds, and at least one")
      }
    }
    return probe(
      check,
      [
        "periodSeconds": .number(max(1, check.interval.wholeSeconds)),
        "timeoutSeconds": .number(max(1, check.timeout.wholeSeconds)), "failureThreshold": .number(check.retries),
      ])
  }

  private mutating func noteImagesCheck(_ service: StackFile.Service) {
    let overrides = service.healthOverrides
    guard !overrides.isDisabled, service.imageName != nil,
      overrides != StackFile.HealthOverrides() || awaited.contains(service.name.value)
    else { return }
    ledger.note(
      key(service, "healthcheck"), .lost,
      "its test is in the image, which Kubernetes does not read: it counts as ready when it is started",
      do: "write the `test:` in the file", at: service.name.span)
  }

  mutating func startupProbe(_ service: StackFile.Service) -> OutputValue? {
    guard let check = service.healthCheck, check.startPeriod > .zero else { return nil }
    let period = max(1, check.startInterval.wholeSeconds)
    let failures = (check.startPeriod.wholeSeconds + period - 1) / period + check.retries
    ledger.settle(
      key(service, "healthcheck.start_period"), .changed,
      "the startupProbe may fail \(failures) times, \(period) s apart; then the pod is restarted")
    return probe(
      check,
      [
        "periodSeconds": .number(period), "timeoutSeconds": .number(max(1, check.timeout.wholeSeconds)),
        "failureThreshold": .number(failures),
      ])
  }

  // MARK: - Hooks and the end

  mutating func lifecycle(_ service: StackFile.Service) -> OutputValue? {
    OutputValue.mapping([
      "postStart": hook(service.postStart, service, "post_start"),
      "preStop": hook(service.preStop, service, "pre_stop"),
      "stopSignal": service.stopSignal.map { .text($0.value.description) },
    ]).unlessEmpty
  }

  /// Kubernetes has one command for each: several run by a shell, one after the other.
  private mutating func hook(_ hooks: [StackFile.Hook], _ service: StackFile.Service, _ name: String) -> OutputValue? {
    guard let first = hooks.first else { return nil }
    if name == "post_start" {
      ledger.note(key(service, name), .changed, "it may run before the service's own command does")
    }
    let isPlain = hooks.count == 1 && first.environment.isEmpty && first.workingDirectory == nil
    guard !isPlain else { return Self.exec(first.command.value) }
    let lines = hooks.map { hook in
      let folder = hook.workingDirectory.map { "cd \(Shell.quoted($0.value)) && " } ?? ""
      let variables = hook.environment.map { Shell.quoted("\($0.name.value)=\($0.value)") }
      let words = (variables.isEmpty ? [] : ["env"]) + variables
      return "(\(folder)\((words + hook.command.value.map(Shell.quoted)).joined(separator: " ")))"
    }
    ledger.note(key(service, name), .changed, "a shell of the image runs them one after the other")
    return Self.exec(["/bin/sh", "-c", lines.joined(separator: " && ")])
  }

  private static func exec(_ words: [String]) -> OutputValue {
    .mapping(["exec": .mapping(["command": .texts(words.map(unexpanded))])])
  }

  // MARK: - Order

  /// Those that fill volumes, and those that wait for other services.
  mutating func firstContainers(_ members: [StackFile.Service], _ places: VolumePlaces) -> [OutputValue] {
    let names = Set(members.map(\.name.value))
    var containers = places.fillers
    var known: Set<String> = []
    for service in members {
      for dependency in service.dependencies where !names.contains(dependency.service.value) {
        for name in awaitedNames(dependency, of: service) where known.insert(name).inserted {
          containers.append(waiter(for: name))
        }
      }
    }
    return containers
  }

  /// The names that resolve once a dependency has got far enough.
  private mutating func awaitedNames(_ dependency: StackFile.Dependency, of service: StackFile.Service) -> [String] {
    let (other, place) = (dependency.service.value, dependency.service.span)
    let key = key(service, "depends_on")
    // One that follows from another key has no key of its own that the report could be about.
    if dependency.restartsWithIt, !input.hasKey("\(key).\(other).restart") {
      ledger.note(
        key, .lost, "no pod is restarted with \(other)", do: "run `kubectl rollout restart` for both", at: place)
    }
    guard let found = input.services.first(where: { $0.name.value == other }) else { return [] }
    guard dependency.isRequired else {
      ledger.note(key, .changed, "it does not wait for \(other), which is not required", at: place)
      return []
    }
    let owner = found.host ?? other
    switch dependency.condition {
    case .started:
      ledger.note(key, .kept, "an initContainer waits for the name \(owner)", at: place)
      return [owner]
    case .healthy:
      ledger.note(key, .kept, "an initContainer waits for the name \(owner)-ready", at: place)
      return ["\(owner)-ready"]
    case .completed where finishing.contains(other):
      let names = Self.namesOfEnds(of: found)
      let words = names.joined(separator: ", ")
      ledger.note(
        key, .kept, "an initContainer waits for \(words), which is there once \(other) has ended well", at: place)
      return names
    case .completed:
      ledger.note(
        key, .lost, "a pod cannot see the end of \(other), which shares a pod with another service",
        do: "give \(other) a network of its own", at: place)
      return []
    }
  }

  private func waiter(for name: String) -> OutputValue {
    // Some resolvers of small images leave out the domains to search.
    let names = [name, "\(name).\(namespace).svc.cluster.local"]
    let attempts = names.map { "nslookup \($0) >/dev/null 2>&1" }.joined(separator: " || ")
    return .mapping([
      "name": .text(String("wait-for-\(name)".prefix(63))), "image": .text(options.tools),
      "command": .texts(["/bin/sh", "-c", "until \(attempts); do sleep 1; done"]), "securityContext": Self.leastRights,
    ])
  }

  /// The rights of a container that only asks.
  static let leastRights = OutputValue.mapping([
    "allowPrivilegeEscalation": .bool(false), "capabilities": .mapping(["drop": .texts(["ALL"])]),
    "seccompProfile": .mapping(["type": .text("RuntimeDefault")]),
  ])
}
