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
    return ImageService(store: store, environment: context.environment, launcher: UnpackerProgram())
  }

  /// The options of a command for pulling the images of a file.
  package struct PullOptions: Sendable {
    /// The policy for all services. Nil for each service's own `pull_policy`, which is `missing` by default.
    package var policy: ImageService.Policy?
    /// True if an image that cannot be fetched is reported, and the others are still fetched.
    package var passesFailures = false

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
  func resolvingImages(
    _ loaded: LoadedStack, _ options: PullOptions, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> LoadedStack {
    var found: [Key: StoredImage] = [:]
    var running: [StackFile.Service] = []
    for (source, service) in sources(of: loaded.services) {
      let key = Key(source: source, platform: service.platform?.value)
      do throws(ImageError) {
        let image =
          if let image = found[key] { image } else { try image(source, of: service, options, report: report) }
        found[key] = image
        running.append(try self.running(service, image, in: loaded.name))
      } catch {
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

  private func image(
    _ source: ImageSource, of service: StackFile.Service, _ options: PullOptions, report: (OperationEvent) -> Void
  ) throws(ImageError) -> StoredImage {
    let policy = options.policy ?? service.pullPolicy.map { ImageService.Policy($0.value) } ?? .missing
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
      let pull = try images.pull(source, platform: platform, interruption: interruption) { _ in }
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

  /// Fetches images by name.
  package func pull(
    _ source: ImageSource, platform: ImagePlatform, report: (PullEvent) -> Void
  ) throws(StackErrors) -> ImageService.Pull {
    let source = source.mapPath { $0.hasPrefix("/") ? $0 : "\(context.workingFolder)/\($0)" }
    return try holdingImages { () throws(StackErrors) in
      try imaging { () throws(ImageError) in
        try images.pull(source, platform: platform, interruption: interruption, report: report)
      }
    }
  }

  /// The images that a file's services run from, each once.
  package func images(of loaded: LoadedStack) -> [(source: ImageSource, platform: ImagePlatform)] {
    var seen: Set<Key> = []
    return sources(of: loaded.services).compactMap { source, service in
      let platform = service.platform?.value
      guard loaded.isAbout(service.name.value), seen.insert(Key(source: source, platform: platform)).inserted else {
        return nil
      }
      return (source, platform.flatMap { ImagePlatform($0) } ?? .own)
    }
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

  private func layersInUse() -> Set<Int> { Set(((try? imagesInUse()) ?? []).flatMap(\.image.layers)) }

  /// Takes away images without a name, or all that no stack runs from.
  package func pruneImages(all: Bool) throws(StackErrors) -> ImageStore.Removal {
    let lock = try rethrowing(nil) { () throws(KernelError) in try images.store.lock(.exclusive) }
    defer { withExtendedLifetime(lock) {} }
    let kept = try imageStatuses().filter { !$0.users.isEmpty || !all && !$0.names.isEmpty }
    return try rethrowing(nil) { () throws(KernelError) in
      try images.store.collect(keeping: Set(kept.map(\.record.manifest)), layers: layersInUse())
    }
  }

  /// Gives an image a further name.
  package func tagImage(_ text: String, as name: String) throws(StackErrors) {
    let image = try image(text)
    let reference: ImageReference
    do {
      reference = try ImageReference(name)
    } catch {
      throw StackErrors([StackError(nil, "\(error)", remedy: error.remedy)])
    }
    guard reference.digest == nil else {
      throw StackErrors([StackError(nil, "\(name) has a digest, which is not given", remedy: "give a name and a tag")])
    }
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

extension ImageService.Policy {
  init(_ policy: StackFile.PullPolicy) {
    switch policy {
    case .always: self = .always
    case .never: self = .never
    case .missing, .ifNotPresent: self = .missing
    }
  }
}

/// An unpacker: this very program, asked to be one.
struct UnpackerProgram: UnpackerLauncher {
  func launch(input: FileDescriptor, control: FileDescriptor) throws(KernelError) -> @Sendable () -> Void {
    let process = try HelperProcess(["stack", "unpack"], input: input, control: control)
    return { process.end() }
  }
}

extension ImageCommand {
  /// Unpacks one layer: the whole of an unpacker's life.
  package static func unpack() {
    UnpackerService.serve(control: HelperProcess.inheritedDescriptor, input: FileDescriptor(rawValue: 0))
  }
}
