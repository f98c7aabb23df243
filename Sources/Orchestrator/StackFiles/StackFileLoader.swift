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
  /// A further instance of a service; nil for the services of the files alone.
  package var oneOff: OneOffService?
  /// Files of variables in place of `.env`; each wins over those before it.
  package var environmentFiles: [String] = []
  /// The folder that relative paths of the files start from; nil for the first file's.
  package var projectFolder: String?

  package init(files: any FileReading, environment: [String: String], workingFolder: String) {
    self.files = files
    self.environment = environment
    self.workingFolder = workingFolder
  }

  /// The folder that is looked through for files where none is named.
  package var searchedFolder: String { projectFolder.map { Path.resolve($0, in: workingFolder) } ?? workingFolder }

  package struct Outcome {
    /// Nil when there is an error among the diagnostics.
    package var stack: StackFile?
    /// Errors, warnings and notes, by file and place.
    package var diagnostics: [Diagnostic]
    /// The variables that the files refer to.
    package var variables: [VariableUse]
    /// The keys of the merged files.
    package var keys: [UsedKey] = []
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
    let folder = projectFolder.map { Path.resolve($0, in: workingFolder) } ?? Path.split(location).folder
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
    guard let all = documents.merged(parsed, variables: variables) else {
      return Outcome(stack: nil, diagnostics: diagnostics.sorted, variables: documents.uses)
    }
    let merged = oneOff?.added(to: all, diagnostics) ?? all
    let root = Field(
      node: DocumentMerger(diagnostics).withoutResets(merged), name: "the stack file", key: merged.span,
      context: context)
    let stack = StackReader(root: root, location: location, givenName: name).read()
    return Outcome(
      stack: diagnostics.hasErrors ? nil : stack, diagnostics: diagnostics.sorted, variables: documents.uses,
      keys: context.keys)
  }

  /// The variables known beside files: the caller's environment, and `.env` in the folder of the first. Mistakes in
  /// `.env` are reported when the files are loaded.
  package func variables(beside paths: [String]) -> Variables {
    let folder = projectFolder.map { Path.resolve($0, in: workingFolder) }
    return variables(in: folder ?? paths.first.map { Path.split(location(of: $0)).folder } ?? workingFolder)
  }

  package func variables(in folder: String) -> Variables {
    Variables(
      environment: environment,
      dotenv: dotenv(in: folder, SourceLoader(files: files, diagnostics: DiagnosticList())))
  }

  /// Standard input counts as a file of the working folder.
  package func location(of path: String) -> String { Path.resolve(Self.shown(path), in: workingFolder) }

  private static func shown(_ path: String) -> String { path == standardInput ? "<stdin>" : path }

  /// The files that the caller names; else `.env` beside the stack file, which most stacks have not.
  private func dotenv(in folder: String, _ loader: SourceLoader) -> [String: String] {
    let listed = environment["COMPOSE_ENV_FILES"].map { $0.split(separator: ",").map(String.init) } ?? []
    let named = environmentFiles.isEmpty ? listed : environmentFiles
    guard named.isEmpty else {
      return named.reduce(into: [:]) { values, path in
        values = loader.values(path, from: location(of: path), environment: environment, over: values)
      }
    }
    let usual = folder == "/" ? "/.env" : "\(folder)/.env"
    // People keep Python's virtual environments in folders of that name.
    return loader.values(usual, from: usual, environment: environment, tolerating: [.missing, .notAFile("a folder")])
  }
}

extension SourceLoader {
  /// The values of a file with variables.
  ///
  /// - Parameters:
  ///   - place: where a file names it.
  ///   - known: the values of files before it, which it may use.
  func values(
    _ shown: String, from location: String, environment: [String: String], over known: [String: String] = [:],
    namedAt place: Span? = nil, tolerating tolerated: [FileReadingError] = []
  ) -> [String: String] {
    guard let source = load(shown, from: location, namedAt: place, tolerating: tolerated) else { return known }
    let reader = EnvironmentFileReader(
      source: source, variables: Variables(environment: environment, dotenv: known), diagnostics: diagnostics)
    var values = known
    for (name, value) in reader.assignments() { values[name.value] = value ?? environment[name.value] }
    return values
  }
}
