import Addresses
import Vocabulary

/// A service while its keys are read: what only counts once all are there.
struct ServiceDraft {
  var service: StackFile.Service
  var rootfs: Located<StackFile.RootFolder>?
  var image: Field?
  var build: Field?
  var platform: Field?
  var pullPolicy: Field?
  var hasInit: Bool?
  var healthCheck: Field?
  var environment: Field?
  /// `mac_address:` of the service itself.
  var mac: Located<MACAddress>?
  var environmentFiles: [EnvironmentFile] = []
  var scale: Located<Int>?
  var replicas: Located<Int>?
  var volumes: [StackFile.Mount] = []
  var tmpfs: [StackFile.Mount] = []
  var limits = LimitsDraft()
  var sysctls: [(name: Located<String>, path: String, value: String)] = []
  /// The place where the file gives the service the host's host name.
  var uts: Span?
  /// Services whose namespaces it is in.
  var neighbours: [Located<String>] = []
  /// Commands that were there but wrong: no use in saying that there is none.
  var hasCommandKey = false
  var labels: [StackFile.Label] = []
  /// Those of `label_file:`, over which the others stand.
  var fileLabels: [StackFile.Label] = []
  /// `deploy: restart_policy:`, which wins over `restart:`.
  var deployedRestart: StackFile.RestartPolicy?

  init(name: Located<String>) { service = StackFile.Service(name: name) }
}

extension Field {
  /// A service's mapping. Nil only when its name is none; a service with other errors is still there for the checks.
  func service(named name: Located<String>) -> StackFile.Service? {
    guard checkName(name, .object, of: "service") else { return nil }
    guard let entries = node.entries else {
      if node.isNull {
        report(
          .nothingToRun, "service \"\(name.value)\" has nothing to run", help: ["give it a `command:`"])
      } else {
        reportShape("a mapping")
      }
      return nil
    }
    var draft = ServiceDraft(name: name)
    ServiceKeys.table.read(self, into: &draft)
    // One that is misspelt was there too, and has been reported.
    let isMisspelt = entries.contains { Suggestion.closest(to: $0.key.value, among: ["command", "entrypoint"]) != nil }
    // A provider runs no program, and has been reported.
    draft.hasCommandKey = draft.hasCommandKey || isMisspelt || node["provider"] != nil
    return finished(draft)
  }

  private func finished(_ draft: ServiceDraft) -> StackFile.Service {
    var service = draft.service
    var environment = EnvironmentBuilder()
    read(draft.environmentFiles, own: draft.environment, into: &environment)
    draft.environment?.readEnvironment(into: &environment)
    service.environment = environment.variables
    service.mounts = distinct(draft.volumes + draft.tmpfs, of: service)
    if let rootfs = draft.rootfs { service.rootfs = rootfs }
    let hasImage = readImage(draft, into: &service)
    service.hasInit = draft.hasInit ?? !hasImage
    readHealthCheck(draft, into: &service, hasImage: hasImage)
    if let mac = draft.mac { give(mac, to: &service) }
    // A switch needs no program: the kernel passes the frames on.
    if let switching = service.switching, !draft.hasCommandKey, draft.image == nil, draft.rootfs == nil {
      service.command = Located(["sleep", "infinity"], switching.span)
    }
    if case .service(let name) = service.networkMode?.value { wait(for: name, &service) }
    addDependencies(to: &service)
    let own = Set(draft.labels.map(\.name.value))
    service.labels = draft.fileLabels.filter { !own.contains($0.name.value) } + draft.labels
    service.restart = draft.deployedRestart ?? service.restart
    dropHostPorts(&service)
    service.scale = scale(of: draft)
    service.limits = resourceLimits(draft.limits)
    settle(draft, &service)
    checkRoot(draft)
    // An image says what runs.
    if draft.rootfs != nil || draft.image == nil && draft.build == nil {
      checkCommand(of: service, hasCommandKey: draft.hasCommandKey)
    }
    return service
  }

  /// Whoever shares another's network waits for it to be there, as with Compose.
  private func wait(for name: String, _ service: inout StackFile.Service) {
    guard let mode = service.networkMode, !service.dependencies.contains(where: { $0.service.value == name }) else {
      return
    }
    service.dependencies.append(StackFile.Dependency(service: Located(name, mode.span)))
  }

  /// Whoever has another's volumes, or knows it by a link, waits for it to be started.
  private func addDependencies(to service: inout StackFile.Service) {
    let links = service.namedLinks.filter { !$0.isExternal }.map { ($0.target, true) }
    for (name, restarts) in links + service.volumesFrom.map({ ($0.service, false) })
    where !service.dependencies.contains(where: { $0.service.value == name.value }) {
      var dependency = StackFile.Dependency(service: name)
      dependency.restartsWithIt = restarts
      service.dependencies.append(dependency)
    }
  }

  /// On the host's own network, what a service listens on is the host's already.
  private func dropHostPorts(_ service: inout StackFile.Service) {
    guard service.networkMode?.value == .host, let first = service.ports.first else { return }
    report(
      .ignoredKey,
      "\"ports\" has no effect with \"network_mode: host\": what the service listens on, the host listens on",
      at: first.span)
    service.ports = []
  }

  /// `mac_address:` of a service is that of its first interface, as Compose has it.
  private func give(_ mac: Located<MACAddress>, to service: inout StackFile.Service) {
    if let mode = service.networkMode {
      report(
        .networkModeConflict, "\"mac_address\" is for a service on networks of its own", at: mac.span,
        also: [Diagnostic.Label(mode.span, "this one is on none")])
      return
    }
    if service.attachments.isEmpty {
      service.attachments = [StackFile.Attachment(network: Located("default", service.name.span))]
    }
    if let other = service.attachments[0].mac, other.value != mac.value {
      report(
        .conflictingKeys, "\"mac_address\" is given twice", "again here", at: mac.span,
        also: [Diagnostic.Label(other.span, "first here")], help: ["leave one of them out"])
    }
    service.attachments[0].mac = mac
  }

  private func checkCommand(of service: StackFile.Service, hasCommandKey: Bool) {
    if service.arguments.isEmpty, !hasCommandKey {
      report(
        .nothingToRun, "service \"\(service.name.value)\" has nothing to run", at: key,
        help: ["give it a `command:`: there is no image to say what runs"])
    } else if service.arguments.isEmpty, service.command != nil || service.entrypoint != nil {
      let place = service.command?.span ?? service.entrypoint?.span
      report(
        .nothingToRun, "service \"\(service.name.value)\" has an empty command", at: place,
        help: ["give it a `command:`: there is no image to say what runs"])
    } else if let first = service.arguments.first, first.isEmpty {
      report(
        .nothingToRun, "service \"\(service.name.value)\" has an empty text for its program",
        at: service.entrypoint?.span ?? service.command?.span)
    }
  }

  private func checkRoot(_ draft: ServiceDraft) {
    let hasRoot = draft.rootfs != nil
    if hasRoot, let field = draft.image {
      field.report(.ignoredKey, "\"image\" has no effect: \"rootfs\" says what the root is", at: field.key)
    }
    guard hasRoot, let field = draft.build else { return }
    field.report(.ignoredKey, "\"build\" has no effect: \"rootfs\" says what the root is", at: field.key)
  }

  private func scale(of draft: ServiceDraft) -> Located<Int> {
    if let scale = draft.scale, let replicas = draft.replicas, scale.value != replicas.value {
      report(
        .conflictingKeys, "\"scale\" is \(scale.value) and \"replicas\" is \(replicas.value)", at: scale.span,
        also: [Diagnostic.Label(replicas.span, "the other number")], help: ["leave one of them out"])
    }
    return draft.scale ?? draft.replicas ?? Located(1, draft.service.name.span)
  }

  /// One mount for each target.
  private func distinct(_ mounts: [StackFile.Mount], of service: StackFile.Service) -> [StackFile.Mount] {
    var first: [String: Span] = [:]
    return mounts.filter { mount in
      guard let place = first[mount.target.value] else {
        first[mount.target.value] = mount.target.span
        return true
      }
      report(
        .duplicateTarget, "service \"\(service.name.value)\" mounts \"\(mount.target.value)\" twice", "again here",
        at: mount.target.span, also: [Diagnostic.Label(place, "first here")])
      return false
    }
  }

  /// `rootfs:`: `host`, a folder, or a mapping.
  func rootFolder() -> Located<StackFile.RootFolder>? {
    guard node.entries != nil else {
      guard let text = nonEmptyText() else { return nil }
      if text.value == "host" { return text.map { _ in .host } }
      return folder(text, mode: .overlay).map { Located($0, text.span) }
    }
    var draft = RootFolderDraft()
    RootFolderDraft.keys.read(self, into: &draft)
    guard let path = draft.path else {
      if node["path"] == nil { report(.missingKey, "\"rootfs\" needs a \"path\"") }
      return nil
    }
    return folder(path, mode: draft.mode).map { Located($0, node.span) }
  }

  private func folder(_ path: Located<String>, mode: StackFile.RootFolder.Mode) -> StackFile.RootFolder? {
    guard let folder = hostPath(path) else { return nil }
    guard folder != "/" else {
      report(
        .badPath, "the host's own root cannot be a service's", at: path.span,
        help: ["use `rootfs: host`: the host's programs under a private root"])
      return nil
    }
    return .folder(path: folder, mode: mode)
  }

  /// `user[:group]`
  func user() -> Located<StackFile.User>? {
    guard let text = nonEmptyText() else { return nil }
    var parts = text.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    // `1000:` and `:1000` leave out a half; root is the user that is left out.
    if parts.count == 2, parts[1].isEmpty { parts.removeLast() } else if parts[0].isEmpty { parts[0] = "0" }
    let isFine = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
        && (UInt64(part).map { $0 < UInt64(UInt32.max) } ?? !part.utf8.allSatisfy { (0x30...0x39).contains($0) })
    }
    guard (1...2).contains(parts.count), isFine else {
      report(
        .badOption, "\"\(Self.shortened(text.value))\" is not a user",
        help: ["write a name or a number, and after a colon a group: www-data, 1000:1000"])
      return nil
    }
    return Located(StackFile.User(user: parts[0], group: parts.count == 2 ? parts[1] : nil), text.span)
  }

  func signal() -> Located<Signal>? {
    guard let text = nonEmptyText() else { return nil }
    guard let signal = Signal(text.value) else {
      let name = text.value.uppercased()
      let question = Suggestion.question(about: name.hasPrefix("SIG") ? name : "SIG\(name)", among: Signal.knownNames)
      report(
        .badSignal, "there is no signal \"\(Self.shortened(text.value))\"", question,
        help: ["write a name or a number: SIGTERM, QUIT, 15, SIGRTMIN+3"])
      return nil
    }
    return Located(signal, text.span)
  }
}

private struct RootFolderDraft {
  var path: Located<String>?
  var mode = StackFile.RootFolder.Mode.overlay

  static let keys = KeyTable<RootFolderDraft>(
    "rootfs",
    [
      .read("path", "the folder") { field, draft in draft.path = field.nonEmptyText() },
      .read("mode", "overlay: the folder stays as it is; direct: the service writes to it") { field, draft in
        draft.mode = field.choice(StackFile.RootFolder.Mode.self)?.value ?? .overlay
      },
    ])
}
