import Build
import BuildExecutor
import Glibc
import Host
import ImageStore
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
  private let number: Int
  private let network: StepNetwork
  private let extraHosts: [String]
  private let lanes: Int
  private let initProgram: String?
  private let filters: SeccompFilters
  private let state = Mutex(State())

  private struct State: ~Copyable {
    var stack: DesiredStack?
    /// Held as long as the stack is there: one whose lock nobody has is that of a killed build.
    var lock: FileLock?
    var launcher: StepLauncher?
    var places: [Key: StepPlace] = [:]
    var warnings: [String] = []
  }

  private struct Key: Hashable {
    var network: StepNetwork
    var lane: Int
  }

  /// Begins the names of such stacks. The process that they belong to follows, and which of its builds it is.
  static let prefix = "stack-build-"

  /// - Parameters:
  ///   - number: tells builds of one process apart.
  ///   - network: of steps that name none.
  ///   - extraHosts: `name=address`.
  ///   - lanes: the number of steps that may run at once.
  init(_ context: CommandContext, number: Int, network: StepNetwork, extraHosts: [String], lanes: Int) {
    (self.context, self.number, self.network, self.extraHosts, self.lanes) = (
      context, number, network, extraHosts, lanes
    )
    initProgram = context.supervisor.furtherArguments().first
    filters = SeccompFilters(context.folders.cache)
  }

  private var name: String { "\(Self.prefix)\(getpid())-\(number)" }

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
      let stack = try state.stack ?? bringUp(&state)
      state.stack = stack
      let place = try makePlace(for: network, lane, stack)
      state.places[key] = place
      return place
    }
  }

  func close() -> [String] {
    state.withLock { state in
      state.places = [:]
      if state.stack != nil { Self.takeDown(name, context) }
      state.stack = nil
      state.lock = nil
      Self.removeFolders(context.folders)
      return state.warnings
    }
  }

  // MARK: The stack

  private func bringUp(_ state: inout State) throws -> DesiredStack {
    let folders = context.folders
    let path = "\(folders.host)/\(name).stack"
    try Files.makeFolder(folders.host)
    state.lock = try FileLock.take(Self.lock(name, folders), .exclusive, isRemoved: true) { true }
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
    state.warnings += said
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

  private static func lock(_ name: String, _ folders: StateFolders) -> String { "\(folders.host)/\(name).build" }

  /// The names of what killed builds left: a whole stack, or no more of it than a lock, a group or a file.
  static func leftovers(_ folders: StateFolders, _ groups: ObservedControlGroups) -> [String] {
    // A record of the host's has `@` and a number behind the stack's name.
    let files = Files.list(folders.host).compactMap { $0.split { $0 == "." || $0 == "@" }.first.map(String.init) }
    let supervised = (try? groups.groups()).map(SupervisorGroup.stacks) ?? []
    let all = Set(StackIndex(folders: folders).names() + supervised + files)
    return all.filter { $0.hasPrefix(prefix) && isLeft($0, folders) }.sorted()
  }

  /// A build that lives has its lock.
  private static func isLeft(_ name: String, _ folders: StateFolders) -> Bool {
    guard Files.exists(lock(name, folders)) else { return true }
    return ((try? FileLock.take(lock(name, folders), .exclusive) { false }) ?? nil) != nil
  }

  /// Takes down what killed builds left.
  static func removeLeftovers(_ context: CommandContext) {
    let folders = context.folders
    for name in leftovers(folders, context.controlGroups) {
      try? Files.makeFolder(folders.host)
      // Another command may be at the same.
      let held = (try? FileLock.take(lock(name, folders), .exclusive, isRemoved: true) { false }) ?? nil
      guard let held else { continue }
      takeDown(name, context)
      unlink("\(folders.host)/\(name).stack")
      _ = consume held
      removeFolders(folders)
    }
  }

  /// The lock is the last thing of a build in them.
  private static func removeFolders(_ folders: StateFolders) {
    Files.removeIfEmpty(folders.host)
    Files.removeIfEmpty(folders.run)
  }
}
