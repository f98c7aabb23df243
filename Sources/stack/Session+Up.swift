import Intent
import Orchestrator

extension Session {
  /// Loads what a command that brings services up is about. Its first word may be a file, and else is a service.
  func load(_ source: SourceOptions, services: [String], scale: [String], withDependencies: Bool = true) throws
    -> LoadedStack
  {
    var (file, services) = (source.file, services)
    if let word = file, !Self.isFile(word) {
      file = nil
      services.insert(word, at: 0)
    }
    var request = try request(source.project.loadRequest(file), scale: scale)
    (request.services, request.includesDependencies) = (services, withDependencies)
    return try load(request)
  }

  /// Brings a stack up with its progress shown.
  ///
  /// - Returns: what it is to be now.
  @discardableResult
  func bringUp(
    _ loaded: LoadedStack, _ options: UpCommand.Options, _ progress: ProgressOptions
  ) throws -> DesiredStack? {
    let printer = ProgressPrinter(progress, stack: loaded.name)
    var desired: DesiredStack?
    try finish(printer) { report in
      try UpCommand(context).run(loaded, options, report: report) { desired = $0 }
    }
    if progress.showsTable { StatusTable.show(try desired.map(context.statuses(of:)) ?? []) }
    return desired
  }
}
