/// The variables of a service, the last of a name winning in the place of the first.
struct EnvironmentBuilder {
  private(set) var variables: [StackFile.EnvironmentVariable] = []
  private var places: [String: Int] = [:]

  mutating func set(_ variable: StackFile.EnvironmentVariable) {
    if let place = places[variable.name.value] {
      variables[place] = variable
    } else {
      places[variable.name.value] = variables.count
      variables.append(variable)
    }
  }

  /// A name that has no value with the caller has none in the service either.
  mutating func remove(_ name: String) {
    guard let place = places.removeValue(forKey: name) else { return }
    variables.remove(at: place)
    for (other, index) in places where index > place { places[other] = index - 1 }
  }
}

/// One item of `env_file:`.
struct EnvironmentFile {
  enum Format: String, CaseIterable { case raw }

  var path: Located<String>?
  var isRequired = true
  var format: Format?

  static let keys = KeyTable<EnvironmentFile>(
    "env_file",
    [
      .read("path", "the file, from the stack's folder") { field, file in file.path = field.nonEmptyText() },
      .read("required", "false: the file may be missing") { field, file in
        file.isRequired = field.boolean() ?? true
      },
      .read("format", "raw: no quotes, no variables") { field, file in file.format = field.choice(Format.self)?.value }
        .optional,
    ])
}

extension Field {
  /// `env_file:`, a path or a list of paths and mappings.
  func environmentFiles() -> [EnvironmentFile] {
    if let scalar = node.scalar, !node.isNull {
      return scalar.text.isEmpty ? [] : text().map { [EnvironmentFile(path: $0)] } ?? []
    }
    return (items() ?? []).compactMap { item in
      guard item.node.entries != nil else { return item.nonEmptyText().map { EnvironmentFile(path: $0) } }
      var file = EnvironmentFile()
      EnvironmentFile.keys.read(item, into: &file)
      if file.path == nil, item.node["path"] == nil { item.report(.missingKey, "an env_file needs a \"path\"") }
      return file.path == nil ? nil : file
    }
  }

  /// Reads the files into the environment, in order. Values may use the service's own variables, and those of earlier
  /// files.
  func read(_ files: [EnvironmentFile], own: Field?, into builder: inout EnvironmentBuilder) {
    guard !files.isEmpty else { return }
    var given: [String: String] = [:]
    // What is wrong there is reported once, when the variables themselves are read.
    for (name, value) in own?.quiet.assignments() ?? [] { given[name.value] = value ?? variables[name.value] }
    for file in files {
      guard let path = file.path else { continue }
      let location = Path.resolve(path.value, in: context.folder(of: path.span))
      let source = context.loader.load(
        path.value, from: location, namedAt: path.span, tolerating: file.isRequired ? [] : [.missing])
      guard let source else { continue }
      let reader = EnvironmentFileReader(
        source: source, variables: context.variables(at: path.span), earlier: given, diagnostics: context.diagnostics)
      for assignment in file.format == .raw ? reader.raw() : reader.assignments() {
        if let value = assignment.value {
          given[assignment.name.value] = value
          builder.set(StackFile.EnvironmentVariable(name: assignment.name, value: value))
        } else {
          inherit(assignment.name, into: &builder)
        }
      }
    }
  }

  /// `environment:`, a list or a mapping.
  func readEnvironment(into builder: inout EnvironmentBuilder) {
    for (name, value) in assignments() {
      guard !name.value.isEmpty, !name.value.utf8.contains(UInt8(ascii: "=")), !name.value.utf8.contains(0) else {
        report(
          .badVariableName, "\"\(Self.shortened(name.value))\" cannot name an environment variable",
          "a name is not empty and has no =", at: name.span)
        continue
      }
      if let value {
        builder.set(StackFile.EnvironmentVariable(name: name, value: value))
      } else {
        inherit(name, into: &builder)
      }
    }
  }

  private func inherit(_ name: Located<String>, into builder: inout EnvironmentBuilder) {
    if let value = variables[name.value] {
      builder.set(StackFile.EnvironmentVariable(name: name, value: value))
    } else {
      builder.remove(name.value)
    }
  }

  /// `labels:`, a list or a mapping; the last of a name wins.
  func labels() -> [StackFile.Label] {
    var labels: [StackFile.Label] = []
    for (name, value) in assignments() {
      guard !name.value.isEmpty else {
        report(.emptyText, "a label's name is empty", at: name.span)
        continue
      }
      labels.removeAll { $0.name.value == name.value }
      labels.append(StackFile.Label(name: name, value: value ?? ""))
    }
    return labels
  }
}
