/// The context of all readers of a stack file, besides the node they read.
final class ReadingContext {
  let diagnostics: DiagnosticList
  /// Absolute path of the folder that relative paths start from.
  let folder: String
  /// The caller's home, for `~`.
  let home: String?
  /// The caller's environment over `.env`: bare names in `environment:` take their values here.
  var variables: Variables
  let loader: SourceLoader
  /// The services of the stack by the names of their containers, for `container:NAME`.
  var containers: [String: String] = [:]
  /// Notes what readers ask for, when a schema is made of them.
  var probe: SchemaProbe?
  /// The origins of files that others name, by `include:` or by `extends:`.
  var origins: [ObjectIdentifier: Origin] = [:]

  /// The folder that a file's relative paths start from, and the variables that it sees.
  struct Origin {
    var folder: String
    var variables: Variables
  }

  init(diagnostics: DiagnosticList, folder: String, home: String?, variables: Variables, loader: SourceLoader) {
    self.diagnostics = diagnostics
    self.folder = folder
    self.home = home
    self.variables = variables
    self.loader = loader
  }

  /// The folder that relative paths at a place start from.
  func folder(of place: Span) -> String { origins[ObjectIdentifier(place.file)]?.folder ?? folder }

  func variables(at place: Span) -> Variables { origins[ObjectIdentifier(place.file)]?.variables ?? variables }

  /// The same, with diagnostics that nobody sees.
  var quiet: ReadingContext {
    let context = ReadingContext(
      diagnostics: DiagnosticList(), folder: folder, home: home, variables: variables, loader: loader)
    (context.origins, context.containers) = (origins, containers)
    return context
  }
}
