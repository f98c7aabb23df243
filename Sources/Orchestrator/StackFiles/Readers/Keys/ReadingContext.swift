/// The context of all readers of a stack file, besides the node they read.
final class ReadingContext {
  let diagnostics: DiagnosticList
  /// Absolute path of the folder that relative paths start from.
  let folder: String
  /// The caller's home, for `~`.
  let home: String?
  /// The caller's environment over `.env`: bare names in `environment:` take their values here.
  let variables: Variables
  let loader: SourceLoader
  /// The keys that were read, in the order of the tables that read them.
  var keys: [UsedKey] = []

  init(diagnostics: DiagnosticList, folder: String, home: String?, variables: Variables, loader: SourceLoader) {
    self.diagnostics = diagnostics
    self.folder = folder
    self.home = home
    self.variables = variables
    self.loader = loader
  }
}
