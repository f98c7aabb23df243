import BuildExecutor
import Host
import ImageFormat
import ImageReference
import ImageStore
import Images
import Kernel
import StackFiles
import Vocabulary

extension BuildCommand {
  /// The options of the command line for the builds of a stack file.
  package struct ServiceOptions: Sendable {
    /// Before the file's own.
    package var arguments: [String: String] = [:]
    package var usesCache = true
    package var pulls = false
    package var isDry = false

    package init() {}
  }

  /// The builds of a file's services, each after those whose image it uses. Equal ones are one, with the names of all.
  ///
  /// - Parameter isMeant: whether a service is to be built.
  package func orders(
    of loaded: LoadedStack, _ options: ServiceOptions = ServiceOptions(),
    isMeant: (StackFile.Service) -> Bool = { _ in true }
  ) throws(StackErrors) -> [Order] {
    var names: [String] = []
    func add(_ service: StackFile.Service) {
      guard let build = service.build, !names.contains(service.name.value) else { return }
      for context in build.contexts {
        if case .service(let other) = context.origin.value,
          let needed = loaded.allServices.first(where: { $0.name.value == other })
        {
          add(needed)
        }
      }
      if !names.contains(service.name.value) { names.append(service.name.value) }
    }
    for service in loaded.services where loaded.isAbout(service.name.value) && isMeant(service) { add(service) }
    var orders: [Order] = []
    for name in names {
      guard let service = loaded.allServices.first(where: { $0.name.value == name }),
        let order = try order(of: service, in: loaded, options)
      else { continue }
      if let same = orders.firstIndex(where: { $0.isSame(as: order) }) {
        orders[same].names += order.names.filter { !orders[same].names.contains($0) }
      } else {
        orders.append(order)
      }
    }
    return orders
  }

  private func order(
    of service: StackFile.Service, in loaded: LoadedStack, _ options: ServiceOptions
  ) throws(StackErrors) -> Order? {
    guard let build = service.build, case .image(.registry(let name)) = service.rootfs.value else { return nil }
    try checkPlaces(of: build, "\(loaded.name)/\(service.name.value)")
    var order = Order(image: name.familiar, context: build.context.value)
    order.names = [name]
    for tag in build.tags {
      if let further = try? ImageReference(tag.value), !order.names.contains(further) { order.names.append(further) }
    }
    order.dockerfile = build.dockerfile?.value
    order.inline = build.inline?.value
    order.target = build.target?.value
    for argument in build.arguments { order.arguments[argument.name.value] = argument.value }
    order.arguments.merge(options.arguments) { $1 }
    for label in build.labels { order.labels[label.name.value] = label.value }
    order.extraHosts = build.extraHosts.map { "\($0.name.value)=\($0.address.value)" }
    order.limits.sharedMemory = build.sharedMemory
    order.limits.process = build.limits
    order.usesCache = build.usesCache && options.usesCache
    order.uncachedStages = Set(build.uncachedStages.map { $0.value.lowercased() })
    order.pulls = build.pulls || options.pulls
    order.isDry = options.isDry
    if let text = service.platform?.value, let platform = ImagePlatform(text) { order.platform = platform }
    order.network = network(of: build, in: loaded)
    for context in build.contexts { order.contexts[context.name.value] = self.context(context, in: loaded) }
    for secret in build.secrets { order.secrets[secret.id] = try contents(of: secret, in: loaded) }
    return order
  }

  /// Refuses a context or a Dockerfile that is missing, by its line, before anything is done.
  private func checkPlaces(of build: StackFile.Build, _ subject: String) throws(StackErrors) {
    let folder = build.context
    guard Files.exists(folder.value + "/.") else {
      throw StackErrors([
        StackError(
          subject, "there is no folder \(folder.value) to build (\(folder.span.place))",
          remedy: "make it, or correct `context:`")
      ])
    }
    guard let file = build.dockerfile, build.inline == nil else { return }
    let path = file.value.hasPrefix("/") ? file.value : "\(folder.value)/\(file.value)"
    guard Files.exists(path) else {
      throw StackErrors([
        StackError(
          subject, "there is no Dockerfile \(path) (\(file.span.place))", remedy: "make it, or correct `dockerfile:`")
      ])
    }
  }

  private func context(_ context: StackFile.Build.NamedContext, in loaded: LoadedStack) -> Order.Context {
    switch context.origin.value {
    case .folder(let path): return .folder(path)
    case .image(let name): return .image(name)
    case .service(let name):
      let service = loaded.allServices.first { $0.name.value == name }
      return .image(service?.imageName ?? name)
    }
  }

  private func contents(
    of secret: StackFile.Build.Secret, in loaded: LoadedStack
  ) throws(StackErrors) -> [UInt8] {
    switch loaded.file.contents(of: secret) {
    case nil: return []
    case .text(let text)?: return Array(text.utf8)
    case .file(let path)?:
      let bytes = try rethrowing(nil) { () throws(KernelError) in try Files.read(path, limit: 512 << 10) }
      guard let bytes else {
        throw StackErrors([
          StackError(
            nil, "the secret \(secret.source.value) has no file \(path) (\(secret.source.span.place))",
            remedy: "make it, or correct its path")
        ])
      }
      return bytes
    }
  }

  /// A network of the stack itself is there once the stack is up. Before, steps have the build's own.
  private func network(of build: StackFile.Build, in loaded: LoadedStack) -> StepNetwork {
    switch build.network?.value {
    case nil: return .standard
    case .none?: return .none
    case .host?: return .host
    case .named(let key)?:
      let desired = (try? index.desired(loaded.name)) ?? nil
      guard desired?.network(named: key) != nil else { return .standard }
      return .named("\(loaded.name)_\(key)")
    }
  }

  // MARK: up

  /// Builds the images that services are to run from and that are not there, or that are always built.
  ///
  /// - Parameter builds: true for all (`--build`), false for none (`--no-build`), nil for those that are missing.
  /// - Returns: false when the user wanted no more.
  /// - Throws: ``FileDiagnostics`` of a Dockerfile, or `StackErrors`.
  func buildMissing(
    _ loaded: LoadedStack, builds: Bool?, report: @escaping @Sendable (BuildEvent) -> Void, meanwhile: () -> Void
  ) throws -> Bool {
    guard builds != false, loaded.services.contains(where: { $0.build != nil }) else { return true }
    let images = ImageCommand(context).images
    let orders = try orders(of: loaded) { service in
      if builds == true || service.pullPolicy?.value == .build { return true }
      guard case .image(let source) = service.rootfs.value else { return false }
      switch service.pullPolicy?.value {
      // The registry comes first, and is asked by `up` itself. What it does not have is built.
      case .always?, .every?:
        guard ((try? images.find(source)) ?? nil) == nil else { return false }
        return (try? images.pull(source, interruption: interruption) { _ in }) == nil
      default: return ((try? images.find(source)) ?? nil) == nil
      }
    }
    guard !orders.isEmpty else { return true }
    return try build(orders, report: report, meanwhile: meanwhile) != nil
  }
}

extension BuildCommand.Order {
  /// True if another makes the same image, whatever it is called.
  fileprivate func isSame(as other: Self) -> Bool {
    (context, dockerfile, inline, target) == (other.context, other.dockerfile, other.inline, other.target)
      && arguments == other.arguments && labels == other.labels && contexts == other.contexts
      && secrets == other.secrets && network == other.network && extraHosts == other.extraHosts
      && limits == other.limits && usesCache == other.usesCache && uncachedStages == other.uncachedStages
      && pulls == other.pulls && platform == other.platform
  }
}

extension LoadedStack {
  /// The number of services whose image is built.
  package var buildCount: Int { services.count { $0.build != nil } }
}
