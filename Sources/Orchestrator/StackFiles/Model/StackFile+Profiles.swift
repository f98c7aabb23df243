extension StackFile {
  /// The services of a stack that are to run.
  package struct Selection: Sendable {
    /// In the order of the file.
    package var services: [Service]
    /// Names that are none, and dependencies whose profile is not active.
    package var diagnostics: [Diagnostic]
  }

  /// The services that run: those without a profile or with an active one. With names, these and what they need;
  /// a named service's own profiles count as active, as with Compose.
  /// - Parameters:
  ///   - profiles: `*` stands for all.
  ///   - withDependencies: whether services that were named bring what they need.
  package func activeServices(
    profiles: [String] = [], named names: [String] = [], withDependencies: Bool = true
  ) -> Selection {
    var diagnostics: [Diagnostic] = []
    var activeProfiles = Set(profiles)
    for name in names {
      if let service = services[name] {
        activeProfiles.formUnion(service.profiles.map(\.value))
      } else {
        let question = Suggestion.question(about: name, among: services.names)
        diagnostics.append(
          Diagnostic(
            .undefinedService, "the stack \"\(self.name.value)\" has no service \"\(name)\"",
            file: self.name.span.file.path,
            help: question.isEmpty ? ["its services: \(services.names.joined(separator: ", "))"] : [question]))
      }
    }
    func isActive(_ service: Service) -> Bool {
      service.profiles.isEmpty || activeProfiles.contains("*")
        || service.profiles.contains { activeProfiles.contains($0.value) }
    }
    let wanted = names.isEmpty ? services.filter(isActive) : names.compactMap { services[$0] }
    var chosen: Set<String> = []
    var open = Array(wanted)
    while let service = open.popLast() {
      guard chosen.insert(service.name.value).inserted, withDependencies || names.isEmpty else { continue }
      for dependency in service.dependencies {
        guard let other = services[dependency.service.value] else { continue }
        if isActive(other) {
          open.append(other)
        } else if dependency.isRequired {
          diagnostics.append(Self.inactive(dependency, of: service, other))
        }
      }
    }
    return Selection(services: services.filter { chosen.contains($0.name.value) }, diagnostics: diagnostics)
  }

  private static func inactive(_ dependency: Dependency, of service: Service, _ other: Service) -> Diagnostic {
    let profiles = other.profiles.map(\.value)
    return Diagnostic(
      .inactiveDependency,
      "service \"\(service.name.value)\" depends on \"\(other.name.value)\", which is not active",
      at: dependency.service.span,
      also: other.profiles.first.map { [Diagnostic.Label($0.span, "it runs with this profile")] } ?? [],
      help: ["add `--profile \(profiles.first ?? "")`, or write `required: false`"])
  }
}
