import BuildContext
import BuildExecutor
import BuildIgnore
import Dockerfile
import Glibc
import Host
import ImageFormat
import ImageReference
import ImageStore
import Images
import Kernel
import StackFiles
import Synchronization
import SystemPackage
import Vocabulary

/// Builds images from Dockerfiles.
package struct BuildCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// An image that is to be built, as the command line or a stack file has it.
  package struct Order: Sendable {
    /// A named context.
    package enum Context: Hashable, Sendable {
      /// Relative to the working folder, or absolute.
      case folder(String)
      case image(String)
    }

    /// The name that people know it by.
    package var image: String
    /// A folder: relative to the working folder, or absolute.
    package var context: String
    /// Relative to the context. Nil: `Dockerfile`.
    package var dockerfile: String?
    /// The text of a Dockerfile that is in no file.
    package var inline: String?
    package var names: [ImageReference] = []
    package var target: String?
    package var arguments: [String: String] = [:]
    package var labels: [String: String] = [:]
    package var contexts: [String: Context] = [:]
    package var secrets: [String: [UInt8]] = [:]
    package var network = StepNetwork.standard
    /// `name=address`
    package var extraHosts: [String] = []
    package var limits = StepLimits()
    package var usesCache = true
    /// The stages whose steps are done anew.
    package var uncachedStages: Set<String> = []
    /// True if nothing is done, and it is said what would be.
    package var isDry = false
    /// True if images of FROM are fetched though they are there.
    package var pulls = false
    package var platform = ImagePlatform.own

    package init(image: String, context: String) { (self.image, self.context) = (image, context) }
  }

  /// The result of a build.
  package struct Built: Sendable {
    package var image: String
    package var record: ImageRecord
    package var names: [ImageReference]
  }

  /// Builds images, two at once. One that is built from another of them waits for it.
  ///
  /// - Parameters:
  ///   - report: called on any thread, one call at a time.
  ///   - meanwhile: called on this thread about ten times a second.
  /// - Returns: in the order of the orders; nil when the user wanted no more.
  /// - Throws: ``FileDiagnostics`` of a Dockerfile, or `StackErrors`. The builds beside it are ended then.
  package func build(
    _ orders: [Order], report: @escaping @Sendable (BuildEvent) -> Void, meanwhile: () -> Void = {}
  ) throws -> [Built]? {
    BuildPlaces.removeLeftovers(context)
    return try ImageCommand(context).holdingImages(during: {
      let store = ImageCommand(context).images.store
      try rethrowing(nil) { () throws(KernelError) in
        try store.prepareBuilds()
        try store.removeLeftovers(now: time(nil))
      }
      defer { Files.removeIfEmpty(passing) }
      let guarded = Mutex(())
      return try buildHeld(
        orders, report: { event in guarded.withLock { _ in report(event) } }, meanwhile: meanwhile)
    })
  }

  /// The number of images that are built at once.
  private static let width = 2

  private func buildHeld(
    _ orders: [Order], report: @escaping @Sendable (BuildEvent) -> Void, meanwhile: () -> Void
  ) throws -> [Built]? {
    do {
      let requests = try orders.map { order in
        try request(order) { report(BuildEvent(image: order.image, step: nil, .note($0))) }
      }
      let results = Mutex<[Int: Result<ImageRecord?, any Error>]>([:])
      let stop = try StopSignal()
      let memory = BuildMemory(ImageCommand(context).images.store.buildMemory)
      let needs = BuildSequence(orders, requests).needs
      let lanes = try Lanes(needs.enumerated().map { ($0.offset, $0.element) }) { [self] number, _ in
        let result = Result {
          try build(orders[number], requests[number], number: number, stop: stop, memory, report: report)
        }
        results.withLock { $0[number] = result }
        // The builds beside it end early, and nothing is begun.
        if case .failure = result { stop.raise() }
        _ = try result.get()
      }
      let failure = Result {
        try lanes.run(min(Self.width, max(orders.count, 1)), wake: interruption.wake) {
          if interruption.isInterrupted() { stop.raise() }
          meanwhile()
        }
      }
      let ended = results.withLock { $0 }
      for number in orders.indices {
        guard case .failure(let error)? = ended[number] else { continue }
        if case BuildFailure.stopped = error { continue }
        throw error
      }
      try failure.get()
      return try orders.indices.compactMap { number in
        try ended[number]?.get().map { Built(image: orders[number].image, record: $0, names: orders[number].names) }
      }
    } catch BuildFailure.stopped {
      return nil
    } catch {
      throw failure(error)
    }
  }

  /// For secrets while a step runs.
  private var passing: String { "\(folders.host)/build" }

  /// - Parameter number: of the order among those of this command.
  /// - Returns: nil for a dry run.
  private func build(
    _ order: Order, _ request: BuildRequest, number: Int, stop: StopSignal, _ memory: BuildMemory,
    report: @escaping @Sendable (BuildEvent) -> Void
  ) throws -> ImageRecord? {
    let places = BuildPlaces(
      context, number: number, network: order.network, extraHosts: order.extraHosts,
      lanes: min(request.graph.nodes.count, 2))
    let images = ImageCommand(context).images
    let note: @Sendable (String) -> Void = { report(BuildEvent(image: order.image, step: nil, .note($0))) }
    let services = BuildServices(
      images: images, places: places, passing: passing, stop: stop, memory: memory,
      image: { name in try Self.image(name, order, images, stop, note: note) }, report: report)
    defer { for text in places.close() { note("warning: \(text)") } }
    return try BuildRun(request, services).run(wake: nil) {}
  }

  /// An error as commands print it: mistakes in a Dockerfile are shown in their places, as those of stack files are.
  private func failure(_ error: any Error) -> any Error {
    switch error {
    case BuildFailure.errors(let errors): errors
    case BuildFailure.diagnostics(let diagnostics): FileDiagnostics(diagnostics: diagnostics)
    case let error as FileDiagnostics: error
    case let error as StackErrors: error
    case let error as ContextError: StackErrors([StackError(nil, error.message, remedy: error.remedy)])
    case let error as KernelError: StackErrors([StackError(nil, error)])
    default: StackErrors([StackError(nil, "\(error)")])
    }
  }

  // MARK: Parts

  private func request(_ order: Order, note: (String) -> Void) throws -> BuildRequest {
    let folder = absolute(order.context)
    let list = DiagnosticList()
    let bare = ContextRoot(try open(folder, of: order), label: "the context")
    let place = DockerfilePlace(order.dockerfile ?? "Dockerfile", context: folder)
    let (path, bytes) = try dockerfile(of: order, at: place, bare)
    let inputs = BuildInputs(
      target: order.target, arguments: arguments(of: order), contexts: Set(order.contexts.keys),
      platform: order.platform)
    let ignored = try patterns(bare, dockerfile: order.inline == nil ? place : nil, list)
    guard let dockerfile = DockerfileParser.parse(path: path, bytes: bytes, list),
      let graph = StageGraph.resolve(dockerfile, inputs, list)
    else { throw BuildFailure.diagnostics(list.sorted) }
    let warnings = DiagnosticRenderer(isColored: false).render(list.sorted)
    if !warnings.isEmpty { note(warnings) }
    let root = ContextRoot(try open(folder, of: order), label: "the context", patterns: ignored)
    var request = BuildRequest(
      image: order.image, dockerfile: dockerfile, graph: graph, inputs: inputs, context: root, folder: folder)
    for (name, context) in order.contexts { request.contexts[name] = try opened(context, name, order, list) }
    (request.names, request.secrets, request.isDry) = (order.names, order.secrets, order.isDry)
    request.labels = order.labels.sorted { $0.key < $1.key }.map { NamedValue(name: $0.key, value: $0.value) }
    (request.usesCache, request.network, request.limits) = (order.usesCache, order.network, order.limits)
    request.uncachedStages = order.uncachedStages
    request.hostNames = order.extraHosts.map { String($0.prefix { $0 != "=" && $0 != ":" }) }
    request.epoch = (order.arguments["SOURCE_DATE_EPOCH"] ?? context.environment["SOURCE_DATE_EPOCH"])
      .flatMap { Int64($0) }
    return request
  }

  private func open(_ folder: String, of order: Order) throws -> Descriptor {
    do {
      return try ContextRoot.open(folder)
    } catch {
      throw BuildFailure.errors(
        StackErrors([StackError(order.image, error.message, remedy: error.remedy ?? "name a folder that is there")]))
    }
  }

  private func opened(
    _ context: Order.Context, _ name: String, _ order: Order, _ list: DiagnosticList
  ) throws -> BuildRequest.Context {
    guard case .folder(let path) = context else {
      if case .image(let image) = context { return .image(image) }
      return .image(name)
    }
    let folder = absolute(path)
    let bare = ContextRoot(try open(folder, of: order), label: "the context \(name)")
    let patterns = try patterns(bare, dockerfile: nil, list)
    return .folder(ContextRoot(try open(folder, of: order), label: "the context \(name)", patterns: patterns))
  }

  /// Those of DOCKERFILE.dockerignore beside the Dockerfile, or else of .dockerignore.
  func patterns(
    _ root: ContextRoot, dockerfile: DockerfilePlace?, _ list: DiagnosticList
  ) throws -> IgnorePatterns {
    if let dockerfile, let bytes = try dockerfile.read(".dockerignore", limit: 1 << 20, in: root) {
      return IgnorePatterns.read(path: shown(dockerfile.path + ".dockerignore"), bytes: bytes, list)
    }
    guard let bytes = try root.file(".dockerignore", limit: 1 << 20) else { return IgnorePatterns() }
    return IgnorePatterns.read(path: ".dockerignore", bytes: bytes, list)
  }

  /// Proxies of the caller hold for steps, as with Docker's client.
  private func arguments(of order: Order) -> [String: String] {
    context.environment.filter { BuildInputs.proxies.contains($0.key) }.merging(order.arguments) { $1 }
  }

  private func dockerfile(
    of order: Order, at place: DockerfilePlace, _ root: ContextRoot
  ) throws -> (path: String, bytes: [UInt8]) {
    if let inline = order.inline { return ("\(order.image) (dockerfile_inline)", Array(inline.utf8)) }
    guard let bytes = try place.read(limit: 8 << 20, in: root) else {
      throw BuildFailure.errors(
        StackErrors([
          StackError(
            nil, "there is no \(shown(place.path))",
            remedy: "name the Dockerfile: -f FILE, or `dockerfile:` under `build:`")
        ]))
    }
    return (shown(place.path), bytes)
  }

  /// A path as the user would write it.
  private func shown(_ path: String) -> String {
    let base = context.workingFolder + "/"
    return path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
  }

  func absolute(_ path: String) -> String {
    (path.hasPrefix("/") ? path : "\(context.workingFolder)/\(path)").withoutDots
  }

  private static func image(
    _ name: String, _ order: Order, _ images: ImageService, _ stop: StopSignal, note: (String) -> Void
  ) throws -> StoredImage {
    let source: ImageSource
    do {
      source = try ImageSource(name)
    } catch {
      throw BuildFailure.unplaced(message: "\(name) names no image: \(error)", remedy: nil)
    }
    do {
      if !order.pulls || order.isDry, let image = try images.find(source),
        order.platform.runs(image.configuration.platform)
      {
        return image
      }
      guard !order.isDry else { throw BuildFailure.missing(name) }
      note("pulling \(source)")
      let pull = try images.pull(source, platform: order.platform, interruption: stop.interruption) { event in
        if case .retrying(let text) = event.state { note("\(source): \(text)") }
      }
      for text in pull.warnings { note("warning: \(text)") }
      return pull.image
    } catch let error as ImageError {
      guard !error.isStopped else { throw BuildFailure.stopped }
      throw BuildFailure.unplaced(message: "\(error)", remedy: error.remedy)
    }
  }
}
