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
    let all = documents.dropFirst().reduce(base) { DocumentMerger(diagnostics).merge($1, over: $0) }
    let merged = oneOff?.added(to: all, diagnostics) ?? all
    let context = ReadingContext(
      diagnostics: diagnostics, folder: folder, home: environment["HOME"], variables: variables, loader: loader)
    let root = Field(
      node: DocumentMerger(diagnostics).withoutResets(merged), name: "the stack file", key: merged.span,
      context: context)
    let stack = StackReader(root: root, location: location, givenName: name).read()
    return Outcome(
      stack: diagnostics.hasErrors ? nil : stack, diagnostics: diagnostics.sorted, variables: interpolator.uses)
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
    var values: [String: String] = [:]
    for path in named {
      guard let source = loader.load(path, from: location(of: path)) else { continue }
      read(source, loader, into: &values)
    }
    // People keep Python's virtual environments in folders of that name.
    let usual = folder == "/" ? "/.env" : "\(folder)/.env"
    if named.isEmpty, let source = loader.load(usual, tolerating: [.missing, .notAFile("a folder")]) {
      read(source, loader, into: &values)
    }
    return values
  }

  private func read(_ source: SourceFile, _ loader: SourceLoader, into values: inout [String: String]) {
    let reader = EnvironmentFileReader(
      source: source, variables: Variables(environment: environment, dotenv: values), diagnostics: loader.diagnostics)
    for (name, value) in reader.assignments() { values[name.value] = value ?? environment[name.value] }
  }
}
