import Intent
import Kernel
import Resolve
import StackFiles
import Vocabulary

/// Which stack file to read, and how.
package struct LoadRequest: Sendable {
  /// The files, each merged over those before it; `-` is standard input. When empty, those that are found: of COMPOSE_FILE,
  /// or in the current folder; compose files in one above it, too.
  package var paths: [String]
  /// The stack's name, when it is neither that of COMPOSE_PROJECT_NAME nor the file's.
  package var name: String?
  /// When empty, those of COMPOSE_PROFILES.
  package var profiles: [String] = []
  /// The services that it is about, if not about all.
  package var services: [String] = []
  /// Whether it is about what these depend on, too.
  package var includesDependencies = true
  /// How many replicas, for services that are to have another number than the file says.
  package var scale: [String: Int] = [:]
  package var isInterpolating = true

  package init(paths: [String]) {
    self.paths = paths
  }
}

/// A stack file that was read and found good.
package struct LoadedStack: Sendable {
  private(set) var file: StackFile
  /// The services that are to run: those in no profile, and in the profiles asked for; or those asked for by name.
  private(set) var services: [StackFile.Service]
  /// The names of the services that were asked for by name, with what they depend on; nil when all are meant.
  let named: Set<String>?
  let variables: [VariableUse]
  /// What is to be told though it stops nothing, each ready to be printed.
  package let notes: [String]

  package var name: String { file.name.value }
  package var serviceNames: [String] { services.map(\.name.value) }
  /// Services, and each of their replicas by its own name.
  package var instanceNames: [String] {
    services.flatMap { service in
      [service.name.value] + (1...max(service.scale.value, 1)).map { "\(service.name.value)-\($0)" }
    }
  }
  package var networkNames: [String] { file.networks.names }
  /// The stack as it is understood, in one form whatever the file's.
  package var yaml: String { file.output.yaml }
  package var json: String { file.output.prettyJSON }
  /// The variables that the file refers to: name, whether it is required, what stands in for it.
  package var variableRows: [[String]] {
    variables.map { [$0.name, $0.isRequired ? "yes" : "no", $0.defaultValue ?? "-"] }
  }

  /// Two folders of one name, or two files, may well be two stacks that know nothing of each other.
  ///
  /// - Throws: that the stack came up from another file, which is still there, and would lose services that only that one has.
  func checkOrigin(of recorded: DesiredStack) throws(StackErrors) {
    let path = file.path
    guard recorded.file.hasPrefix("/"), Files.exists(recorded.file), !Files.isSame(recorded.file, path) else { return }
    let foreign = Set(recorded.services.map(\.service)).subtracting(file.services.names).sorted()
    guard !foreign.isEmpty else { return }
    throw StackErrors([
      StackError(
        name, "is up from \(recorded.file), and \(foreign.joined(separator: ", ")) is not in \(path)",
        remedy: "give this one another name, -p NAME, or take that one down: stack down \(name)")
    ])
  }

  /// The same with other values for some services.
  func replacing(_ changed: [StackFile.Service]) -> LoadedStack {
    let byName = Dictionary(changed.map { ($0.name.value, $0) }, uniquingKeysWith: { $1 })
    var loaded = self
    loaded.services = services.map { byName[$0.name.value] ?? $0 }
    for service in changed { loaded.file.services[service.name.value] = service }
    return loaded
  }

  /// Whether a service is one of those that are meant.
  package func isAbout(_ service: String) -> Bool { named?.contains(service) ?? true }

  /// Where services were asked for by name, the stack's other services that are there belong to it as well, with as many
  /// replicas as there are.
  func joined(by recorded: DesiredStack?) -> LoadedStack {
    guard let named, let recorded else { return self }
    let present = Dictionary(grouping: recorded.services, by: \.service)
    var whole = self
    whole.services = file.services.compactMap { service in
      guard !named.contains(service.name.value) else { return service }
      guard let instances = present[service.name.value] else { return nil }
      var other = service
      other.scale.value = instances.count
      return other
    }
    return whole
  }

  /// Whether some link is to have what only netem does.
  var needsEmulator: Bool {
    services.contains { $0.attachments.contains { $0.conditions.conditions.needsEmulator } }
      || file.links.contains { link in
        link.declared(from: link.first, to: link.second).condition.needsEmulator
          || link.declared(from: link.second, to: link.first).condition.needsEmulator
      }
  }

  /// Whether some network has VLANs.
  var hasVLANs: Bool {
    file.networks.contains { !$0.vlans.isEmpty } || services.contains { $0.attachments.contains { $0.vlan != nil } }
  }

  /// What its services are to see of the host's files.
  func paths(in folder: StackFolder) -> Set<String> {
    Set(services.flatMap { IdentityFacts.places(of: $0, in: folder).map(\.path) } + [folder.hostRootOnDisk])
  }

  /// Every host port that the file asks for by number.
  var hostPorts: Set<UInt16> {
    Set(
      services.flatMap(\.ports).flatMap { port -> [UInt16] in
        switch port.host {
        case .free: []
        case .oneOf(let range), .fixed(let range): Array(range)
        }
      })
  }
}

/// What is wrong with a stack file: everything, with the places.
package struct FileDiagnostics: Error, Sendable {
  let diagnostics: [Diagnostic]

  package func rendered(isColored: Bool) -> String {
    DiagnosticRenderer(isColored: isColored).render(diagnostics)
  }

  /// For editors: an object a line, with stable codes.
  package var json: String { Diagnostic.jsonLines(diagnostics) }
}

extension StackCommands {
  /// Reads a stack file.
  ///
  /// - Throws: ``FileDiagnostics``, or ``StackErrors`` when there is no file to be found.
  package func load(_ request: LoadRequest) throws -> LoadedStack {
    var loader = StackFileLoader(
      files: HostFiles(interruption: interruption), environment: environment, workingFolder: workingFolder)
    loader.isInterpolating = request.isInterpolating
    let found = request.paths.isEmpty ? try find(loader) : StackFileSearch.Found(paths: request.paths)
    let paths = found.paths
    let variables = loader.variables(beside: paths)
    let name = request.name ?? variables["COMPOSE_PROJECT_NAME"].flatMap { $0.isEmpty ? nil : $0 }
    let outcome = loader.load(paths, name: name)
    guard var file = outcome.stack else { throw FileDiagnostics(diagnostics: outcome.diagnostics) }
    for (name, count) in request.scale.sorted(by: { $0.key < $1.key }) {
      guard var service = file.services[name] else {
        throw StackErrors([
          StackError(nil, "cannot scale \(name): there is no such service in \(paths.joined(separator: ", "))")
        ])
      }
      service.scale.value = count
      file.services[name] = service
    }
    // What only one replica can have was checked with the file's own numbers.
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
      notes: (found.isAbove ? ["using \(paths.joined(separator: ", "))"] : [])
        + [DiagnosticRenderer(isColored: false).render(outcome.diagnostics)].filter { !$0.isEmpty })
  }

  private func find(_ loader: StackFileLoader) throws(StackErrors) -> StackFileSearch.Found {
    try StackFileSearch(
      list: { Files.list($0) }, workingFolder: workingFolder, variables: loader.variables(in: workingFolder),
      trust: FileTrust(environment: environment)
    ).find()
  }
}
