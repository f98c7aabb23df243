/// Turns paths into a checked stack. Reads the files it is given, `.env` beside the first, and files of `env_file:`,
/// and no others.
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
    let folder = Path.split(location).folder
    let variables = Variables(environment: environment, dotenv: dotenv(in: folder, loader))
    var interpolator = Interpolator(variables: variables, diagnostics: diagnostics)
    var documents: [Node] = []
    for path in paths {
      let isInput = path == Self.standardInput
      guard let source = loader.load(Self.shown(path), from: isInput ? path : self.location(of: path)),
        let document = DocumentParser.parse(source, diagnostics)
      else { continue }
      documents.append(isInterpolating ? interpolator.interpolate(document) : document)
    }
    guard documents.count == paths.count, let base = documents.first else {
      return Outcome(stack: nil, diagnostics: diagnostics.sorted, variables: interpolator.uses)
    }
    let merged = documents.dropFirst().reduce(base) { DocumentMerger(diagnostics).merge($1, over: $0) }
    let context = ReadingContext(
      diagnostics: diagnostics, folder: folder, home: environment["HOME"], variables: variables, loader: loader)
    let root = Field(
      node: DocumentMerger(diagnostics).withoutResets(merged), name: "the stack file", key: merged.span,
      context: context)
    let stack = StackReader(root: root, location: location, givenName: name).read()
    return Outcome(
      stack: diagnostics.hasErrors ? nil : stack, diagnostics: diagnostics.sorted, variables: interpolator.uses,
      keys: context.keys)
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
    // People keep Python's virtual environments in folders of that name.
    let source = loader.load(path, tolerating: [.missing, .notAFile("a folder")])
    guard let source else { return [:] }
    let reader = EnvironmentFileReader(
      source: source, variables: Variables(environment: environment), diagnostics: loader.diagnostics)
    var values: [String: String] = [:]
    for (name, value) in reader.assignments() { values[name.value] = value ?? environment[name.value] }
    return values
  }
}
