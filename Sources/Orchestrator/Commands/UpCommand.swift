import BuildExecutor
import Glibc
import Host
import Intent
import Kernel
import Planning
import Resolve
import StackFiles
import Supervision
import Vocabulary

/// Brings a stack up.
package struct UpCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    package var recreate = Recreate.changed
    /// True if what the named services depend on is recreated too.
    package var recreatesDependencies = false
    /// True if services that are made anew get new volumes in place of those without a name.
    package var renewsVolumes = false
    /// False if services are made and not started.
    package var startsServices = true
    /// The instance whose process only waits, for a command that is run in it; nil for none.
    package var heldInstance: String?
    /// True if a failed `up` is left as it is.
    package var keepsOnFailure = false
    /// True if services with an image count as ready only once their health check succeeds.
    package var waitsForHealth = false
    /// True if services wait for those that they depend on.
    package var waitsForDependencies = true
    /// Seconds until a service that is not ready counts as failed; nil for a minute, or longer where a health check may
    /// take longer to decide.
    package var readyTimeout: Double?
    /// Seconds for services that are made anew to stop by themselves; nil for each service's own grace period.
    package var stopTimeout: Double?
    /// The options for pulling the services' images.
    package var pull = ImageCommand.PullOptions()

    /// True if images of services with `build:` are built though they are there, false if none is.
    package var builds: Bool?
    /// Gets what happens while images are built: on any thread, one call at a time.
    package var buildReport: @Sendable (BuildEvent) -> Void = { _ in }
    /// Called about ten times a second while images are built.
    package var whileBuilding: @Sendable () -> Void = {}

    package enum Recreate: Sendable { case changed, always, never }

    package init() {}
  }

  /// Brings a stack up, and returns when every service is ready.
  ///
  /// - Parameters:
  ///   - report: gets what happens meanwhile.
  ///   - chosen: gets what the stack is to be, once what the file leaves open is chosen.
  /// - Throws: `StackErrors` with the reasons, or ``FileDiagnostics`` of a Dockerfile. Nothing of what was done is left then.
  package func run(
    _ source: LoadedStack, _ options: Options, report: (OperationEvent) -> Void,
    chosen: (DesiredStack) -> Void = { _ in }
  ) throws -> OperationEvent {
    BuildPlaces.removeLeftovers(context)
    try NetworkCommand(context).bringUpJoined(by: source)
    try checkSources(of: source)
    let images = ImageCommand(context)
    guard images.needsImages(source) else { return try run(resolved: source, options, report: report, chosen: chosen) }
    return try images.holdingImages(during: {
      let isBuilt = try BuildCommand(context).buildMissing(
        source, builds: options.builds, report: options.buildReport, meanwhile: options.whileBuilding)
      guard isBuilt else { return OperationEvent(.cancelled, text: "what was built is kept") }
      guard let running = try images.resolvingImages(source, options.pull, report: report) else {
        return OperationEvent(.cancelled, text: "what has come of the images is kept")
      }
      return try run(resolved: running, options, report: report, chosen: chosen)
    })
  }

  /// Refuses root folders that are missing, and files that nobody makes, by their lines, before anything is made.
  private func checkSources(of source: LoadedStack) throws(StackErrors) {
    let errors = missingRoots(of: source) + missingMounts(of: source)
    guard errors.isEmpty else { throw StackErrors(errors) }
  }

  private func missingMounts(of source: LoadedStack) -> [StackError] {
    source.file.withAllMounts(source.services).filter { source.isAbout($0.name.value) }.flatMap { service in
      service.mounts.compactMap { mount in
        guard case .bind(let path, creates: false) = mount.source, !Files.exists(path) else { return nil }
        let what = mount.fileKind.map { "the \($0.rawValue) for \(mount.target.value)" } ?? mount.target.value
        return StackError(
          "\(source.name)/\(service.name.value)", "\(what) has no file \(path) (\(mount.span.place))",
          remedy: "make it, or correct its path")
      }
    }
  }

  private func missingRoots(of source: LoadedStack) -> [StackError] {
    source.services.compactMap { service -> StackError? in
      guard case .folder(let path, _) = service.rootfs.value, source.isAbout(service.name.value) else { return nil }
      var status = stat()
      let isThere = stat(path, &status) == 0
      guard !isThere || status.st_mode & S_IFMT != S_IFDIR else { return nil }
      return StackError(
        "\(source.name)/\(service.name.value)",
        "its root folder \(path) \(isThere ? "is no folder" : "is not there") (\(service.rootfs.span.place))",
        remedy: "name a folder that has a whole file system in it, or write `rootfs: host` or `image:`")
    }
  }

  private func run(
    resolved source: LoadedStack, _ options: Options, report: (OperationEvent) -> Void, chosen: (DesiredStack) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(source.name)
    return try context.locked(source.name, report: report) { () throws(StackErrors) in
      let isNew = !Files.exists(folder.path)
      // A supervisor takes as long to start as the choices take to be made, so it starts meanwhile.
      let session: SupervisorSession
      do throws(StackErrors) {
        session = try context.openIdleSession(folder)
      } catch {
        if isNew { try? Files.remove(folder.path) }
        throw error
      }
      let desired: DesiredStack
      do throws(StackErrors) {
        desired = try claim(source, options) { report(OperationEvent(.warning, text: $0)) }
        try session.confirm()
      } catch {
        session.abandon()
        if isNew { try? Files.remove(folder.path) }
        throw error
      }
      defer { try? Files.remove(folder.claim) }
      chosen(desired)
      warn(of: desired, report: report)
      let notes = [desired.engineSocketNote].compactMap(\.self) + desired.layerNotes(in: folder)
      for text in notes { report(OperationEvent(.warning, text: text)) }
      for text in desired.claimsInWords { report(OperationEvent(.warning, text: text)) }
      do throws(StackErrors) {
        return try context.perform(
          SupervisorMethods.Up.self,
          SupervisorMethods.Up.Parameters(
            scope: scope(of: source, desired, options), readyTimeout: options.readyTimeout,
            stopTimeout: options.stopTimeout, keepsOnFailure: options.keepsOnFailure,
            waitsForHealth: options.waitsForHealth),
          on: folder, over: session, cancelsWhenInterrupted: true, report: report)
      } catch {
        // A supervisor that could not start has accepted nothing.
        if isNew, session.refusal != nil, !Files.exists(folder.intent) { try? Files.remove(folder.path) }
        throw error
      }
    }
  }

  /// Chooses what the file leaves open and puts the choice on record. One command at a time chooses on this host.
  private func claim(
    _ source: LoadedStack, _ options: Options, note: (String) -> Void
  ) throws(StackErrors) -> DesiredStack {
    let choosing = try rethrowing(nil) { () throws(KernelError) in
      try StackLock(folders.choosingLock, interruption: interruption)
    }
    let folder = folders.stack(source.name)
    do {
      let desired = try desired(source, options, note: note)
      try rethrowing(source.name) { () throws(KernelError) in
        try Files.makeFolder(folder.path)
        // A service's root owns what it leaves in a volume as the host's root does, set-user-ID programs too: no other user of the
        // host may come near it. The first is a link where the state was moved elsewhere, so each stack's own is closed as well.
        for path in [folders.lib, folder.lib] { try Files.closeToOthers(path) }
        try StateFile(path: folder.claim).write(desired, isDurable: true)
      }
      choosing.remove()
      return desired
    } catch {
      choosing.remove()
      throw error
    }
  }

  /// The plan of `up`, without its effects.
  package func plan(_ source: LoadedStack, _ options: Options) throws(StackErrors) -> Plan {
    let images = ImageCommand(context)
    var local = options.pull
    local.policy = .never
    let source = images.needsImages(source) ? try images.resolvingImages(source, local) { _ in } ?? source : source
    let desired = try desired(source, options) { _ in }
    return try rethrowing(source.name) { () throws(KernelError) in
      let recorded = try index.desired(source.name)
      var observed: Planner.Observed = [:]
      for service in recorded?.services ?? [] {
        observed[service.name] = try index.record(of: service.name, in: source.name).phase
      }
      return Planner.up(
        desired, recorded: recorded, isSettled: Files.exists(folders.stack(source.name).settled), observed: observed,
        scope: scope(of: source, desired, options))
    }
  }

  private func scope(of source: LoadedStack, _ desired: DesiredStack, _ options: Options) -> Planner.Scope {
    let keys = source.instanceKeys
    // What ran for one command is not run again because the stack comes up: it has done its work.
    let meant = desired.services.filter { service in
      source.named?.contains(service.service)
        ?? (!service.isOneOff || keys.contains(service.service))
    }
    return Planner.Scope(
      instances: Set(meant.map(\.name)),
      // Instances that are to stay as they are are kept out of what is desired.
      recreatesAll: options.recreate == .always, waitsForDependencies: options.waitsForDependencies,
      startsServices: options.startsServices, renewsVolumes: options.renewsVolumes,
      recreates: options.recreatesDependencies ? source.dependencies(in: desired) : [])
  }

  func desired(
    _ file: LoadedStack, _ options: Options, note: (String) -> Void = { _ in }
  ) throws(StackErrors) -> DesiredStack {
    let folder = folders.stack(file.name)
    let pools = try HostConfiguration.read(folders.configuration, environment: context.environment).pools
    let previous = try rethrowing(file.name) { () throws(KernelError) in try index.desired(file.name) }
    if let previous { try file.checkOrigin(of: previous) }
    let source = file.joined(by: previous)
    let facts = try rethrowing(source.name) { () throws(KernelError) in
      try HostFacts.observe(source.question(previous: previous, pools: pools, folders: folders))
    }
    for text in facts.identities.notes(for: source.services, in: folder) { note(text) }
    let keys = source.instanceKeys
    var desired = try Resolver.resolve(
      source.file, services: source.services, facts: facts, previous: previous,
      standing: previous?.services.filter { other in
        !keys.contains(other.service) && (other.isOneOff || source.named != nil)
      } ?? [], folder: folder)
    if let held = options.heldInstance {
      desired.services = desired.services.map { $0.name == held ? $0.held : $0 }
    }
    if let text = MissingVLANs.note(of: desired) { note(text) }
    guard let previous else { return desired }
    var spared = Planner.sparing(previous, in: desired) { service in
      options.recreate == .never || !source.isAbout(service.service)
    }
    // A command for named services leaves orphans alone too.
    let orphans = Planner.orphans(of: previous, in: spared)
    spared.services += source.named == nil ? orphans.filter(\.isOneOff) : orphans
    return spared
  }
}
