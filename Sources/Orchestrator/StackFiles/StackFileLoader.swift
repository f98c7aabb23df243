/// Turns paths into a checked stack. Reads the files it is given, `.env` beside the first, those that they name by
/// `include:`, `extends:`, `env_file:` and `label_file:`, and no others.
package struct StackFileLoader {
  var files: any FileReading
  /// The caller's environment.
  var environment: [String: String]
  /// Absolute path of the folder that the given paths start from.
  var workingFolder: String
  /// The path that stands for standard input.
  static let standardInput = "-"

  /// False: `$` in values is left alone (`stack config --no-interpolate`).
  package var isInterpolating = true

  package init(files: any FileReading, environment: [String: String], workingFolder: String) {
    self.files = files
    self.environment = environment
    self.workingFolder = workingFolder
  }

  package struct Outcome {
    /// Nil when there is an error among the diagnostics.
    package var stack: StackFile?
    /// Errors, warnings and notes, by file and place.
    package var diagnostics: [Diagnostic]
    /// The variables that the files refer to.
    package var variables: [VariableUse]
  }

  /// Reads one file, or several of which each is merged over those before it.
  /// - Parameter name: The stack's name, when the caller and not the file gives it.
  package func load(_ paths: [String], name: String? = nil) -> Outcome {
    let diagnostics = DiagnosticList()
    let loader = SourceLoader(files: files, diagnostics: diagnostics)
    guard let first = paths.first else {
      diagnostics.add(Diagnostic(.unreadableFile, "no stack file is given", file: "stack"))
      return Outcome(stack: nil, diagnostics: diagnostics.sorted, variables: [])
    }
    paths.map(Self.shown).forEach(diagnostics.register(file:))
    let location = self.location(of: first)
    let folder = Path.split(location).folder
    var variables = Variables(environment: environment, dotenv: dotenv(in: folder, loader))
    let context = ReadingContext(
      diagnostics: diagnostics, folder: folder, home: environment["HOME"], variables: variables, loader: loader)
    var documents = DocumentLoader(context: context, isInterpolating: isInterpolating)
    let parsed = paths.compactMap { path in
      let isInput = path == Self.standardInput
      return documents.parsed(Self.shown(path), at: isInput ? path : self.location(of: path))
    }
    guard parsed.count == paths.count else {
      return Outcome(stack: nil, diagnostics: diagnostics.sorted, variables: documents.uses)
    }
    // Files may use the stack's name, wherever it comes from.
    variables.environment["COMPOSE_PROJECT_NAME"] =
      name ?? StackNaming.name(among: parsed.flatMap(\.roots), variables) ?? StackNaming.name(ofPath: location)
    context.variables = variables
    guard let merged = documents.merged(parsed, variables: variables) else {
      return Outcome(stack: nil, diagnostics: diagnostics.sorted, variables: documents.uses)
    }
    let root = Field(
      node: DocumentMerger(diagnostics).withoutResets(merged), name: "the stack file", key: merged.span,
      context: context)
    let stack = StackReader(root: root, location: location, givenName: name).read()
    return Outcome(
      stack: diagnostics.hasErrors ? nil : stack, diagnostics: diagnostics.sorted, variables: documents.uses)
  }

  /// The variables known beside files: the caller's environment, and `.env` in the folder of the first. Mistakes in
  /// `.env` are reported when the files are loaded.
  package func variables(beside paths: [String]) -> Variables {
    variables(in: paths.first.map { Path.split(location(of: $0)).folder } ?? workingFolder)
  }

  package func variables(in folder: String) -> Variables {
    Variables(
      environment: environment,
      dotenv: dotenv(in: folder, SourceLoader(files: files, diagnostics: DiagnosticList())))
  }

  /// Standard input counts as a file of the working folder.
  private func location(of path: String) -> String { Path.resolve(Self.shown(path), in: workingFolder) }

  private static func shown(_ path: String) -> String { path == standardInput ? "<stdin>" : path }

  /// `.env` beside the stack file; most stacks have none.
  private func dotenv(in folder: String, _ loader: SourceLoader) -> [String: String] {
    let path = folder == "/" ? "/.env" : "\(folder)/.env"
    return loader.values(path, from: path, environment: environment)
  }
}

extension SourceLoader {
  /// The values of a file with variables.
  ///
  /// - Parameter place: where a file names it. Without, it may be missing.
  func values(
    _ shown: String, from location: String, environment: [String: String], namedAt place: Span? = nil
  ) -> [String: String] {
    // People keep Python's virtual environments in folders of that name.
    let tolerated: [FileReadingError] = place == nil ? [.missing, .notAFile("a folder")] : []
    guard let source = load(shown, from: location, namedAt: place, tolerating: tolerated) else { return [:] }
    let reader = EnvironmentFileReader(
      source: source, variables: Variables(environment: environment), diagnostics: diagnostics)
    var values: [String: String] = [:]
    for (name, value) in reader.assignments() { values[name.value] = value ?? environment[name.value] }
    return values
  }
}
