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

  /// True if all words name services of this folder's file. Such a name comes before an image's, as with Compose.
  func areServices(_ names: [String], _ project: ProjectRequest) throws -> Bool {
    guard context.scope != nil, names.allSatisfy({ !Self.isFile($0) && !$0.contains(":") }) else { return false }
    let services = try context.load(project.loadRequest()).allServiceNames
    return names.allSatisfy(services.contains)
  }

  /// Brings a stack up with its progress shown, also that of builds.
  ///
  /// - Returns: what it is to be now.
  @discardableResult
  func bringUp(
    _ loaded: LoadedStack, _ options: UpCommand.Options, _ progress: ProgressOptions,
    _ builds: BuildOptions = .withDefaults
  ) throws -> DesiredStack? {
    var desired: DesiredStack?
    try builds.showing(loaded, progress, options) { options in
      try finish(ProgressPrinter(progress, stack: loaded.name)) { report in
        try UpCommand(context).run(loaded, options, report: report) { desired = $0 }
      }
    }
    if progress.showsTable { StatusTable.show(try desired.map(context.statuses(of:)) ?? []) }
    return desired
  }
}
