import Build
import BuildExecutor
import Glibc
import Host
import Intent
import Isolation
import Kernel
import Runtime
import Supervision
import Synchronization
import SystemPackage
import Vocabulary

/// The surroundings of RUN steps: those of services of a stack that exists while the build runs.
///
/// So a step has ids, a network, names and a firewall as services have them. Its processes are the build's own, and no
/// part of the stack's services.
final class BuildPlaces: StepPlaces {
  private let context: CommandContext
  private let network: StepNetwork
  private let extraHosts: [String]
  private let lanes: Int
  private let initProgram: String?
  private let filters: SeccompFilters
  private let state = Mutex(State())

  private struct State {
    var stack: DesiredStack?
    var launcher: StepLauncher?
    var places: [Key: StepPlace] = [:]
    var warnings: [String] = []
  }

  private struct Key: Hashable {
    var network: StepNetwork
    var lane: Int
  }

  /// Begins the names of such stacks; the process that they belong to follows.
  static let prefix = "stack-build-"

  /// - Parameters:
  ///   - network: of steps that name none.
  ///   - extraHosts: `name=address`.
  ///   - lanes: the number of steps that may run at once.
  init(_ context: CommandContext, network: StepNetwork, extraHosts: [String], lanes: Int) {
    (self.context, self.network, self.extraHosts, self.lanes) = (context, network, extraHosts, lanes)
    initProgram = context.supervisor.furtherArguments().first
    filters = SeccompFilters(context.folders.cache)
  }

  private var name: String { "\(Self.prefix)\(getpid())" }

  // MARK: StepPlaces

  func launcher() throws(KernelError) -> StepLauncher {
    try state.withLock { state throws(KernelError) in
      if let launcher = state.launcher { return launcher }
      let launcher = try StepLauncher(initProgram: initProgram)
      state.launcher = launcher
      return launcher
    }
  }

  /// Docker's capabilities. Programs such as sudo and su gain privileges, within these.
  func confinement() throws(KernelError) -> Confinement {
    var security = DesiredSecurity()
    security.capabilities.formUnion(CapabilitySet([.mknod, .auditWrite]))
    security.forbidsNewPrivileges = false
    return try filters.confinement(security)
  }

  func place(for network: StepNetwork, lane: Int) throws -> StepPlace {
    try state.withLock { state in
      let key = Key(network: network, lane: lane)
      if let place = state.places[key] { return place }
      let stack = try state.stack ?? bringUp(&state.warnings)
      state.stack = stack
      let place = try makePlace(for: network, lane, stack)
      state.places[key] = place
      return place
    }
  }

  func close() -> [String] {
    state.withLock { state in
      state.places = [:]
      guard state.stack != nil else { return state.warnings }
      state.stack = nil
      Self.takeDown(name, context)
      return state.warnings
    }
  }

  // MARK: The stack

  private func bringUp(_ warnings: inout [String]) throws -> DesiredStack {
    Self.removeLeftovers(context)
    let path = "\(context.folders.host)/\(name).stack"
    try Files.makeFolder(context.folders.host)
    try Files.replace(path, with: Array(file.utf8))
    defer { unlink(path) }
    var request = LoadRequest(paths: [path])
    request.name = name
    let loaded = try context.load(request)
    var desired: DesiredStack?
    var said: [String] = []
    let last = try UpCommand(context).run(loaded, UpCommand.Options()) { event in
      if event.kind == .warning { said.append(event.text) }
    } chosen: {
      desired = $0
    }
    warnings += said
    guard last.kind == .finished, let desired else {
      guard last.errors.isEmpty else { throw StackErrors(last.errors) }
      throw BuildFailure.stopped
    }
    return desired
  }

  private var file: String {
    var lines = ["services:", "  run:", "    rootfs: host", "    command: [sleep, infinity]", "    scale: \(lanes)"]
    // Clouds answer there with the machine's credentials.
    lines += ["    routes: ['blackhole 169.254.0.0/16']"]
    if !extraHosts.isEmpty {
      lines += ["    extra_hosts:"] + extraHosts.map { "      - \(quoted($0))" }
    }
    if case .named(let other) = network {
      lines += ["networks:", "  default:", "    external: true", "    name: \(quoted(other))"]
    }
    return lines.map { "\($0)\n" }.joined()
  }

  /// As YAML has it between single quotes. By scalars: a quotation mark with an accent on it is a mark all the same.
  private func quoted(_ text: String) -> String {
    "'" + text.unicodeScalars.filter { $0 != "\n" && $0 != "\r" }.map { $0 == "'" ? "''" : String($0) }.joined() + "'"
  }

  private func makePlace(for network: StepNetwork, _ lane: Int, _ stack: DesiredStack) throws -> StepPlace {
    let services = stack.services
    guard !services.isEmpty, let first = services[lane % services.count].firstIdentity else {
      throw StackErrors([
        StackError(
          nil, "steps cannot have users of their own on this host", remedy: "see what it lacks: stack doctor")
      ])
    }
    let service = services[lane % services.count]
    let folder = context.folders.stack(name)
    let range = IdentityRange(first: first)
    let group = try ControlGroups.observe().group("stack/\(name)/step\(lane)")
    var (hosts, resolver) = ("\(folder.names)/\(service.hostsFile)", "\(folder.names)/\(service.resolverFile)")
    switch network {
    case .standard, .named:
      let namespace = try NetworkNamespace.open(pinnedAt: folder.service(service.name).namespace)
      let users = try UserNamespace(owning: namespace, range: range)
      return StepPlace(users: users, network: namespace, hosts: hosts, resolver: resolver, group: group)
    case .none:
      let namespace = try NetworkNamespace.create(ipv6: .off, ownedBy: range)
      let users = try UserNamespace(owning: namespace, range: range)
      return StepPlace(users: users, network: namespace, hosts: hosts, resolver: resolver, group: group)
    case .host:
      if Files.exists("/etc/hosts") { hosts = "/etc/hosts" }
      if Files.exists("/etc/resolv.conf") { resolver = "/etc/resolv.conf" }
      return StepPlace(
        users: try UserNamespace(range: range), network: nil, hosts: hosts, resolver: resolver, group: group)
    }
  }

  private static func takeDown(_ name: String, _ context: CommandContext) {
    _ = try? DownCommand(context).run(name, removeVolumes: true, timeout: 0) { _ in }
  }

  /// Takes down what builds left that were killed: a whole stack, or no more of it than a lock, a group or a file.
  static func removeLeftovers(_ context: CommandContext) {
    let folder = context.folders.host
    let files = Files.list(folder).compactMap { $0.split(separator: ".").first.map(String.init) }
    for name in Set(context.index.names() + SupervisorGroup.stacks() + files) where name.hasPrefix(prefix) {
      guard let owner = pid_t(name.dropFirst(prefix.count)), kill(owner, 0) != 0, errno == ESRCH else { continue }
      takeDown(name, context)
      unlink("\(folder)/\(name).stack")
      Files.removeIfEmpty(folder)
      Files.removeIfEmpty(context.folders.run)
    }
  }
}
