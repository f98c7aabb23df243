import Kernel
import StackFiles
import Vocabulary

extension CommandContext {
  /// Reads a stack file.
  ///
  /// - Throws: ``FileDiagnostics``, or `StackErrors` when there is no file to be found.
  package func load(_ request: LoadRequest) throws -> LoadedStack {
    var loader = loader
    (loader.isInterpolating, loader.oneOff) = (request.isInterpolating, request.oneOff)
    let found = request.paths.isEmpty ? try find(loader) : StackFileSearch.Found(paths: request.paths)
    let paths = found.paths
    let variables = loader.variables(beside: paths)
    let name = request.name ?? variables["COMPOSE_PROJECT_NAME"].flatMap { $0.isEmpty ? nil : $0 }
    let outcome = loader.load(paths, name: name)
    guard var file = outcome.stack else { throw FileDiagnostics(diagnostics: outcome.diagnostics) }
    if let wanted = request.oneOff?.service, file.services[wanted] == nil {
      let names = file.services.names.filter { $0 != request.oneOff?.name }
      let near = Suggestion.nearest(to: wanted, among: names).prefix(5)
      throw StackErrors([
        StackError(
          file.name.value, "has no service \(wanted) in \(paths.joined(separator: ", "))",
          remedy: "its services: \(near.joined(separator: ", "))")
      ])
    }
    for (name, count) in request.scale.sorted(by: { $0.key < $1.key }) {
      guard var service = file.services[name] else {
        throw StackErrors([
          StackError(nil, "cannot scale \(name): there is no such service in \(paths.joined(separator: ", "))")
        ])
      }
      service.scale.value = count
      file.services[name] = service
    }
    // The file's checks used its own numbers of replicas. So checks that depend on them run again.
    let replicas = DiagnosticList()
    if !request.scale.isEmpty { StackChecks(stack: file, serviceNames: [], diagnostics: replicas).checkReplicas() }
    guard !replicas.hasErrors else { throw FileDiagnostics(diagnostics: replicas.sorted) }
    let selection = file.activeServices(
      profiles: request.profiles.isEmpty ? variables.list("COMPOSE_PROFILES", separator: ",") : request.profiles,
      named: request.services, withDependencies: request.includesDependencies)
    guard selection.diagnostics.isEmpty else { throw FileDiagnostics(diagnostics: selection.diagnostics) }
    return LoadedStack(
      file: file, services: selection.services,
      named: request.services.isEmpty ? nil : Set(selection.services.map(\.name.value)), variables: outcome.variables,
      keys: outcome.keys,
      notes: (found.isAbove ? ["using \(paths.joined(separator: ", "))"] : [])
        + [DiagnosticRenderer(isColored: false).render(outcome.diagnostics)].filter { !$0.isEmpty })
  }

  /// The variables that values of files may refer to, by name.
  package func variables(of request: LoadRequest) -> [(name: String, value: String)] {
    let variables =
      request.paths.isEmpty ? loader.variables(in: loader.searchedFolder) : loader.variables(beside: request.paths)
    return variables.all
  }

  var loader: StackFileLoader {
    var loader = StackFileLoader(
      files: HostFiles(interruption: interruption), environment: environment, workingFolder: workingFolder)
    (loader.environmentFiles, loader.projectFolder) = (environmentFiles, projectFolder)
    return loader
  }

  private func find(_ loader: StackFileLoader) throws(StackErrors) -> StackFileSearch.Found {
    try search(loader).find()
  }

  /// The search for files that nobody has named: in the project's folder if one is named.
  func search(_ loader: StackFileLoader) -> StackFileSearch {
    let folder = loader.searchedFolder
    return StackFileSearch(
      list: { Files.list($0) }, workingFolder: folder, variables: loader.variables(in: folder),
      trust: FileTrust(environment: environment))
  }
}
