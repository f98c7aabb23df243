import Glibc
import Host
import ImageFormat
import ImageReference
import ImageStore
import Images
import Intent
import Kernel
import Layer
import Runtime
import StackFiles
import Supervision
import SystemPackage
import Vocabulary

/// Fetches, shows and removes images.
package struct ImageCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The images of this host.
  package var images: ImageService {
    let store = ImageStore(folders.images)
    // Where they cannot be moved, they are fetched anew.
    try? store.takeOver(folders.formerImages)
    return ImageService(
      store: store, environment: context.environment, launcher: UnpackerProgram(),
      registries: geteuid() == 0 ? RegistryProgram() : RegistryThread())
  }

  /// The options of a command for pulling the images of a file.
  package struct PullOptions: Sendable {
    /// The policy for all services. Nil for each service's own `pull_policy`, which is `missing` by default.
    package var policy: ImageService.Policy?
    /// True if what comes is told while it comes.
    package var showsProgress = true

    package init() {}
  }

  /// The images that services of a file run from, in its order, each once.
  private func sources(of services: [StackFile.Service]) -> [(source: ImageSource, service: StackFile.Service)] {
    services.compactMap { service in
      if case .image(let source) = service.rootfs.value { (source, service) } else { nil }
    }
  }

  // MARK: up

  /// True if a command has images to look for.
  func needsImages(_ loaded: LoadedStack) -> Bool { !sources(of: loaded.services).isEmpty }

  /// The file with what its images say, each of which is fetched where it must be.
  ///
  /// - Returns: nil when the user wanted no more.
  func resolvingImages(
    _ loaded: LoadedStack, _ options: PullOptions, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> LoadedStack? {
    let lock = try ImageLock.read(beside: loaded.path)
    var found: [Key: StoredImage] = [:]
    var running: [StackFile.Service] = []
    for (source, service) in sources(of: loaded.services) {
      let key = Key(source: source, platform: service.platform?.value)
      do throws(ImageError) {
        let image =
          if let image = found[key] {
            image
          } else {
            try locked(source, of: service, options, by: lock, report: report)
          }
        found[key] = image
        running.append(try self.running(service, image, in: loaded.name))
      } catch {
        guard !error.isStopped else { return nil }
        throw StackErrors([StackError(error)])
      }
    }
    return loaded.replacing(running)
  }

  private struct Key: Hashable {
    var source: ImageSource
    var platform: String?
  }

  private func running(
    _ service: StackFile.Service, _ image: StoredImage, in stack: String
  ) throws(ImageError) -> StackFile.Service {
    let chosen = StackFile.ChosenImage(
      name: image.name, digest: "\(image.record.manifest)", layers: image.layers,
      largestID: image.record.largestID)
    do {
      return try service.running(chosen, image.configuration)
    } catch {
      throw ImageError(image.name, "service \(service.name.value): \(error)", remedy: error.remedy)
    }
  }

  /// The image that the file's lock holds a service to, or else the one that its name means now.
  private func locked(
    _ source: ImageSource, of service: StackFile.Service, _ options: PullOptions, by lock: ImageLock?,
    report: (OperationEvent) -> Void
  ) throws(ImageError) -> StoredImage {
    guard let lock, let name = ImageLock.name(of: source), case .registry(let reference) = source else {
      return try image(source, of: service, options, report: report)
    }
    guard let digest = lock.digests[name] else {
      report(OperationEvent(.warning, text: "\(source) is not in \(lock.name): to add it, stack pull --lock"))
      return try image(source, of: service, options, report: report)
    }
    let here = try? images.store.record(named: name)?.digest
    if let here, here != digest {
      report(
        OperationEvent(
          .warning, text: "\(source) is \(here.short) here, and \(lock.name) holds \(digest.short), which is used"))
    }
    // The same image has another name where the tag means something else by now.
    let held = here == digest && options.policy != .always ? source : .registry(reference.locked(to: digest))
    var image = try image(held, of: service, options, report: report)
    image.name = "\(source)"
    return image
  }

  private func image(
    _ source: ImageSource, of service: StackFile.Service, _ options: PullOptions, report: (OperationEvent) -> Void
  ) throws(ImageError) -> StoredImage {
    let policy = options.policy ?? service.pullPolicy.map { self.policy($0.value, for: source) } ?? .missing
    let platform = service.platform.flatMap { ImagePlatform($0.value) } ?? .own
    if policy != .always, let image = try images.find(source),
      platform.runs(image.configuration.platform) || policy == .never
    {
      return image
    }
    guard policy != .never else {
      throw ImageError(
        "\(source)", "it is not on this host, and nothing may be fetched", remedy: "fetch it: stack pull \(source)")
    }
    report(OperationEvent(.service, service: service.name.value, text: "pulling \(source)"))
    do throws(ImageError) {
      var progress = PullProgress()
      let pull = try images.pull(source, platform: platform, interruption: interruption) { event in
        if case .retrying(let text) = event.state { report(OperationEvent(.warning, text: "\(source): \(text)")) }
        guard options.showsProgress, let text = progress.take(event) else { return }
        report(OperationEvent(.progress, service: service.name.value, text: "pulling \(source): \(text)"))
      }
      for text in pull.warnings { report(OperationEvent(.warning, text: text)) }
      report(OperationEvent(.service, service: service.name.value, text: "pulled \(source)"))
      return pull.image
    } catch {
      // A registry that is away is no reason not to start what is here (as with Compose).
      guard policy == .always, !error.isStopped, let image = try images.find(source) else { throw error }
      report(OperationEvent(.warning, text: "\(error): using the one that is here"))
      return image
    }
  }

  // MARK: pull

  /// Fetches an image by name.
  ///
  /// - Returns: nil when the user wanted no more.
  package func pull(
    _ source: ImageSource, platform: ImagePlatform, report: (PullEvent) -> Void
  ) throws(StackErrors) -> ImageService.Pull? {
    try holdingImages { () throws(StackErrors) in
      do throws(ImageError) {
        return try images.pull(absolute(source), platform: platform, interruption: interruption, report: report)
      } catch {
        guard error.isStopped else { throw StackErrors([StackError(error)]) }
        return nil
      }
    }
  }

  /// True if all of an image for a platform is here.
  package func isPresent(_ source: ImageSource, platform: ImagePlatform) throws(StackErrors) -> Bool {
    try imaging { () throws(ImageError) in
      try images.find(absolute(source)).map { platform.runs($0.configuration.platform) } ?? false
    }
  }

  func absolute(_ source: ImageSource) -> ImageSource {
    source.mapPath { $0.hasPrefix("/") ? $0 : "\(context.workingFolder)/\($0)" }
  }

  /// The images that a file's services run from, each once.
  ///
  /// - Parameter leavesBuilt: true to leave out those of services with `build:`.
  package func images(
    of loaded: LoadedStack, withoutBuilt leavesBuilt: Bool = false
  ) -> [(source: ImageSource, platform: ImagePlatform)] {
    var seen: Set<Key> = []
    return sources(of: loaded.services.filter { !leavesBuilt || $0.build == nil }).compactMap { source, service in
      let platform = service.platform?.value
      guard loaded.isAbout(service.name.value), seen.insert(Key(source: source, platform: platform)).inserted else {
        return nil
      }
      return (source, platform.flatMap { ImagePlatform($0) } ?? .own)
    }
  }

  /// Reads the lock of a file's images, or begins one.
  package func lock(of loaded: LoadedStack, isNew: Bool) throws(StackErrors) -> ImageLock? {
    try ImageLock.read(beside: loaded.path) ?? (isNew ? ImageLock(beside: loaded.path) : nil)
  }

  /// Compares what a pull brought with what a lock holds, and has the lock hold it if that is wanted.
  ///
  /// - Returns: what to say.
  package func compare(
    _ source: ImageSource, _ digest: String, with lock: inout ImageLock, isChanging: Bool
  ) -> String? {
    guard let name = ImageLock.name(of: source), let digest = ContentDigest(digest) else { return nil }
    let former = lock.digests[name]
    if isChanging { lock.digests[name] = digest }
    guard let former, former != digest else { return nil }
    return isChanging
      ? "\(source) has moved: \(lock.name) held \(former), and now holds \(digest)"
      : "\(source) has moved: \(lock.name) holds \(former), which `up` uses; to follow it: stack pull --lock"
  }

  /// Writes a lock. Images that the file no longer names are let go.
  package func write(_ lock: ImageLock, of loaded: LoadedStack) throws(StackErrors) {
    var lock = lock
    let names = Set(sources(of: loaded.allServices).compactMap { ImageLock.name(of: $0.source) })
    lock.digests = lock.digests.filter { names.contains($0.key) }
    try lock.write()
  }

  /// The same file with the digest of each image, as its registry says.
  package func resolvingDigests(_ loaded: LoadedStack) throws(StackErrors) -> LoadedStack {
    var changed: [StackFile.Service] = []
    for (source, service) in sources(of: loaded.services) {
      guard case .registry(let reference) = source, reference.digest == nil else { continue }
      let digest = try imaging { () throws(ImageError) in try images.digest(of: reference, interruption: interruption) }
      var service = service
      service.rootfs.value = .image(.registry(reference.locked(to: digest)))
      changed.append(service)
    }
    return loaded.replacing(changed)
  }

  /// Takes in what `docker save` or an OCI layout has.
  package func loadImages(_ path: String, report: (PullEvent) -> Void) throws(StackErrors) -> [String] {
    let path = path.hasPrefix("/") ? path : "\(context.workingFolder)/\(path)"
    return try holdingImages { () throws(StackErrors) in
      try imaging { () throws(ImageError) in
        try images.load(path, interruption: interruption, report: report)
      }
    }
  }

  /// Keeps others from removing images meanwhile.
  func holdingImages<Value>(_ body: () throws(StackErrors) -> Value) throws(StackErrors) -> Value {
    let hold = try rethrowing(nil) { () throws(KernelError) in try images.hold() }
    defer { withExtendedLifetime(hold) {} }
    return try body()
  }

  /// The same for what may also find mistakes in files.
  func holdingImages<Value>(during body: () throws -> Value) throws -> Value {
    let outcome = try holdingImages { () throws(StackErrors) in Result { try body() } }
    return try outcome.get()
  }

  private func imaging<Value>(_ body: () throws(ImageError) -> Value) throws(StackErrors) -> Value {
    do {
      return try body()
    } catch {
      throw StackErrors([StackError(error)])
    }
  }

  // MARK: Looking and removing

  /// An image with its names, for people.
  package struct ImageStatus: Sendable, Hashable {
    package var record: ImageRecord
    package var names: [NameRecord]
    /// The stacks that run from it.
    package var users: [String]
  }

  package func imageStatuses() throws(StackErrors) -> [ImageStatus] {
    let store = images.store
    let names = Dictionary(grouping: store.names(), by: \.manifest)
    let users = try imageUsers()
    return store.images().map { image in
      ImageStatus(
        record: image, names: (names[image.manifest] ?? []).sorted { $0.name < $1.name },
        users: users["\(image.manifest)"] ?? [])
    }.sorted {
      ($0.record.created ?? "", $0.names.first?.name ?? "") > ($1.record.created ?? "", $1.names.first?.name ?? "")
    }
  }

  /// Stacks by the digest of the image that they run from.
  private func imageUsers() throws(StackErrors) -> [String: [String]] {
    var users: [String: [String]] = [:]
    for (stack, image) in try imagesInUse() { users[image.digest, default: []].append(stack) }
    return users.mapValues { Array(Set($0)).sorted() }
  }

  private func imagesInUse() throws(StackErrors) -> [(stack: String, image: DesiredImage)] {
    var found: [(stack: String, image: DesiredImage)] = []
    for name in index.names() {
      let folder = folders.stack(name)
      let recorded = try rethrowing(name) { () throws(KernelError) in
        // A claim takes the record's name when it is accepted: in this order it is seen under one of them.
        [
          try StateFile<DesiredStack>(path: folder.claim).read(),
          try StateFile<DesiredStack>(path: folder.intent).read(),
        ]
      }
      for service in recorded.compactMap(\.self).flatMap(\.services) {
        if let image = service.image { found.append((name, image)) }
      }
    }
    return found
  }

  /// An image by a name, or by the beginning of its id.
  package func image(_ text: String) throws(StackErrors) -> ImageStatus {
    let all = try imageStatuses()
    if let name = try? ImageSource(text) {
      let stored = ImageService.storedName(name)
      if let found = all.first(where: { $0.names.contains { $0.name == stored } }) { return found }
    }
    let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
    let found = digits.count < 4 ? [] : all.filter { $0.record.configuration.hex.hasPrefix(digits) }
    guard found.count <= 1 else {
      throw StackErrors([
        StackError(nil, "\(text) is the beginning of the ids of \(found.count) images", remedy: "write more of it")
      ])
    }
    guard let image = found.first else {
      throw StackErrors([StackError(nil, "there is no image \(text)", remedy: "for those that there are: stack images")]
      )
    }
    return image
  }

  /// The configuration of an image, in its original bytes.
  package func configuration(of image: ImageStatus) throws(StackErrors) -> [UInt8] {
    try rethrowing(nil) { () throws(KernelError) in try images.store.readBlob(image.record.configuration) } ?? []
  }

  /// Takes a name away, and the image where it was its last.
  ///
  /// - Returns: what went: names, then an id.
  package func removeImage(_ text: String, force: Bool) throws(StackErrors) -> [String] {
    let image = try image(text)
    let lock = try rethrowing(nil) { () throws(KernelError) in try images.store.lock(.exclusive) }
    defer { withExtendedLifetime(lock) {} }
    let named = (try? ImageSource(text)).map { ImageService.storedName($0) }
    let meant = image.names.map(\.name).filter { $0 == named }
    let removed = meant.isEmpty ? image.names.map(\.name) : meant
    guard removed.count <= 1 || force || !meant.isEmpty else {
      throw StackErrors([
        StackError(nil, "image \(text) has \(removed.count) names", remedy: "name one of them, or all: --force")
      ])
    }
    let isLast = removed.count == image.names.count
    guard !isLast || image.users.isEmpty else {
      throw StackErrors([
        StackError(
          nil, "image \(text) is in use by stack \(image.users.joined(separator: ", "))",
          remedy: "take that down first: stack down \(image.users[0])")
      ])
    }
    return try rethrowing(nil) { () throws(KernelError) in
      for name in removed { try images.store.remove(name: name) }
      guard isLast else { return removed.map { "Untagged: \($0)" } }
      let others = images.store.images().map(\.manifest).filter { $0 != image.record.manifest }
      _ = try images.store.collect(keeping: Set(others), layers: layersInUse())
      return removed.map { "Untagged: \($0)" } + ["Deleted: \(image.record.configuration)"]
    }
  }

  /// The layers that services run from, and those that builds take up again.
  func layersInUse() -> Set<Int> {
    Set(((try? imagesInUse()) ?? []).flatMap(\.image.layers)).union(
      images.store.keepBuilds(since: time(nil) - Self.buildAge))
  }

  /// Takes away images without a name, or all that no stack runs from.
  package func pruneImages(all: Bool) throws(StackErrors) -> ImageStore.Removal {
    let lock = try rethrowing(nil) { () throws(KernelError) in try images.store.lock(.exclusive) }
    defer { withExtendedLifetime(lock) {} }
    let kept = try imageStatuses().filter { !$0.users.isEmpty || !all && !$0.names.isEmpty }
    return try rethrowing(nil) { () throws(KernelError) in
      try images.store.removeLeftovers(now: time(nil))
      return try images.store.collect(keeping: Set(kept.map(\.record.manifest)), layers: layersInUse())
    }
  }
  /// Reads a name that an image is to get: one with a tag, since a digest follows from the image.
  func givenName(_ name: String) throws(StackErrors) -> ImageReference {
    let reference: ImageReference
    do {
      reference = try ImageReference(name)
    } catch {
      throw StackErrors([StackError(nil, "\(error)", remedy: error.remedy)])
    }
    guard reference.digest == nil else {
      throw StackErrors([StackError(nil, "\(name) has a digest, which is not given", remedy: "give a name and a tag")])
    }
    return reference
  }

  /// Gives an image a further name.
  package func tagImage(_ text: String, as name: String) throws(StackErrors) {
    let image = try image(text)
    let reference = try givenName(name)
    let hold = try rethrowing(nil) { () throws(KernelError) in try images.hold() }
    defer { withExtendedLifetime(hold) {} }
    try rethrowing(nil) { () throws(KernelError) in
      try images.store.write(
        NameRecord(
          name: reference.canonical, manifest: image.record.manifest,
          digest: image.names.first?.digest ?? image.record.manifest))
    }
  }
}

extension StackError {
  init(_ error: ImageError) { self.init(nil, "\(error)", remedy: error.remedy) }
}

/// An unpacker: this very program, asked to be one.
struct UnpackerProgram: UnpackerLauncher {
  func launch(input: FileDescriptor, control: FileDescriptor) throws(KernelError) -> @Sendable () -> Void {
    let process = try HelperProcess(["stack", "unpack"], input: input, control: control)
    return { process.end() }
  }
}

/// A process that talks to a registry: this very program, too.
struct RegistryProgram: RegistryLauncher {
  var isProcess: Bool { true }

  func launch(control: FileDescriptor, environment: [String]) throws(KernelError) -> @Sendable () -> Void {
    let null = Descriptor(adopting: try check("open", "/dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) })
    let process = try HelperProcess(
      ["stack", "registry"], environment: environment, input: null.fileDescriptor, control: control)
    return { process.end() }
  }
}

extension ImageCommand {
  /// Talks to a registry for another command: the whole of such a process's life.
  package static func serveRegistry() { RegistryService.serve(control: HelperProcess.inheritedDescriptor) }

  /// Unpacks one layer: the whole of an unpacker's life.
  package static func unpack() {
    UnpackerService.serve(control: HelperProcess.inheritedDescriptor, input: FileDescriptor(rawValue: 0))
  }
}
