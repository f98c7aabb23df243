extension Field {
  /// `depends_on:`, a list of services or a mapping from services to conditions.
  func dependencies() -> [StackFile.Dependency] {
    if let items = node.items {
      var seen: Set<String> = []
      return items.compactMap { with($0).nonEmptyText() }
        .filter { seen.insert($0.value).inserted }
        .map { StackFile.Dependency(service: $0) }
    }
    guard node.isNull || node.entries != nil else {
      reportShape("a list of services or a mapping")
      return []
    }
    return (node.entries ?? []).map { entry in
      var dependency = StackFile.Dependency(service: entry.key)
      Self.dependencyKeys.read(self.entry(entry), into: &dependency)
      return dependency
    }
  }

  private static let dependencyKeys = KeyTable<StackFile.Dependency>(
    "dependency",
    [
      .read("condition", "what the other service must have reached") { field, dependency in
        dependency.condition = field.choice(StackFile.Dependency.Condition.self)?.value ?? .started
      },
      .read("required", "false: its failure is a warning") { field, dependency in
        dependency.isRequired = field.boolean() ?? true
      },
      .read("restart", "true: restarted together with the other") { field, dependency in
        dependency.restartsWithIt = field.boolean() ?? false
      },
    ])
}
