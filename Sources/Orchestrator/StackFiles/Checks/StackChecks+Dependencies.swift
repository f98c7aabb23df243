extension StackChecks {
  func checkDependencies() {
    for service in stack.services {
      for dependency in service.dependencies { check(dependency, of: service) }
    }
    reportCycles()
  }

  private func check(_ dependency: StackFile.Dependency, of service: StackFile.Service) {
    let name = dependency.service
    guard name.value != service.name.value else {
      diagnostics.add(
        Diagnostic(.selfDependency, "service \"\(service.name.value)\" depends on itself", at: name.span))
      return
    }
    guard let other = stack.services[name.value] else {
      let isReported =
        service.volumesFrom.contains { $0.service.value == name.value }
        || service.namedLinks.contains { $0.target.value == name.value }
      if dependency.isRequired, !isReported, !serviceNames.contains(name.value) { reportUndefined(name, by: service) }
      return
    }
    switch dependency.condition {
    case .started: break
    case .healthy where other.healthCheck == nil && !other.mayHaveImagesCheck:
      diagnostics.add(
        Diagnostic(
          .dependencyNeverHealthy,
          "service \"\(service.name.value)\" waits for \"\(name.value)\" to be healthy, which has no health check",
          at: name.span, also: [Diagnostic.Label(other.name.span, "\"\(name.value)\" has no `healthcheck:`")],
          help: ["give it one, or wait with `condition: service_started`"]))
    case .completed where other.restart == .always || other.restart == .unlessStopped:
      diagnostics.add(
        Diagnostic(
          .dependencyNeverCompletes,
          "service \"\(service.name.value)\" waits for \"\(name.value)\" to end, which is always restarted",
          at: name.span, also: [Diagnostic.Label(other.name.span, "\"\(name.value)\" is restarted")],
          help: ["write `restart: on-failure` or leave it out there"]))
    case .healthy, .completed: break
    }
  }

  private func reportUndefined(_ name: Located<String>, by service: StackFile.Service) {
    guard !diagnostics.isFull else { return }
    let names = stack.services.lazy.map(\.name.value).filter { $0 != service.name.value }
    let meant = Suggestion.closest(to: name.value, among: names)
    let declaration = meant.flatMap { stack.services[$0] }
    diagnostics.add(
      Diagnostic(
        .undefinedService, "service \"\(service.name.value)\" depends on undefined service \"\(name.value)\"",
        at: name.span, meant.map { "did you mean \"\($0)\"?" } ?? "",
        also: declaration.map { [Diagnostic.Label($0.name.span, "\"\($0.name.value)\" is declared here")] } ?? []))
  }

  // MARK: - Cycles

  private enum Mark { case onPath, done }

  /// Depth-first, without recursion: a file may hold a chain of any length. Each cycle is reported once.
  private func reportCycles() {
    var marks: [String: Mark] = [:]
    for service in stack.services where marks[service.name.value] == nil {
      var path: [(service: StackFile.Service, next: Int)] = [(service, 0)]
      marks[service.name.value] = .onPath
      while let (current, next) = path.last {
        guard next < current.dependencies.count else {
          marks[current.name.value] = .done
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let name = current.dependencies[next].service.value
        guard name != current.name.value, let other = stack.services[name] else { continue }
        switch marks[name] {
        case nil:
          marks[name] = .onPath
          path.append((other, 0))
        case .onPath:
          let start = path.firstIndex { $0.service.name.value == name } ?? 0
          // `next` was moved on when the step was taken: the step itself is the one before.
          report(path[start...].map { ($0.service, $0.service.dependencies[$0.next - 1]) })
        case .done: break
        }
      }
    }
  }

  private func report(_ cycle: [(service: StackFile.Service, dependency: StackFile.Dependency)]) {
    guard let first = cycle.first else { return }
    let names =
      cycle.prefix(20).map(\.service.name.value) + (cycle.count > 20 ? ["…"] : []) + [first.service.name.value]
    let others = cycle.dropFirst().prefix(20).map { step in
      Diagnostic.Label(
        step.dependency.service.span,
        "\"\(step.service.name.value)\" depends on \"\(step.dependency.service.value)\"")
    }
    diagnostics.add(
      Diagnostic(
        .dependencyCycle, "services depend on each other in a circle: \(names.joined(separator: " -> "))",
        at: first.dependency.service.span,
        "\"\(first.service.name.value)\" depends on \"\(first.dependency.service.value)\"", also: others,
        help: ["one of them must be able to start without the other"]))
  }
}
