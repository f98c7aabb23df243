import Digests
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Layer
import Registry
import Synchronization
import SystemPackage

/// An image of the store that can be run.
package struct StoredImage: Sendable {
  /// As people write it.
  package var name: String
  package var record: ImageRecord
  package var configuration: ImageConfiguration
  /// The folders of its layers in ``ImageStore/layersFolder``, the topmost first.
  package var layers: [Int]
}

/// The images of this host: the one interface that the rooms of the Orchestrator use.
package struct ImageService: Sendable {
  package let store: ImageStore
  let environment: [String: String]
  let launcher: any UnpackerLauncher
  let registries: any RegistryLauncher

  package init(
    store: ImageStore, environment: [String: String], launcher: any UnpackerLauncher,
    registries: any RegistryLauncher
  ) {
    (self.store, self.environment, self.launcher, self.registries) = (store, environment, launcher, registries)
  }

  /// When an image is fetched though it is there, and whether at all.
  package enum Policy: String, Sendable, CaseIterable { case missing, always, never }

  /// Holds off `prune` until images that were looked up are on record as in use.
  package func hold() throws(KernelError) -> FileLock? { try store.lock(.shared) }

  // MARK: Looking

  /// An image by its source's name, if all of it is there.
  package func find(_ source: ImageSource) throws(ImageError) -> StoredImage? {
    let name = Self.storedName(source)
    let image = "\(source)"
    let found: NameRecord?
    do {
      found = try store.record(named: name)
    } catch {
      throw ImageError(image, error)
    }
    guard let found, let record = store.image(manifest: found.manifest) else { return nil }
    return try stored(record, image)
  }

  /// The name of an image in the store.
  package static func storedName(_ source: ImageSource) -> String {
    if case .registry(let reference) = source { reference.canonical } else { "\(source)" }
  }

  package func stored(_ record: ImageRecord, _ image: String) throws(ImageError) -> StoredImage? {
    guard let layers = store.folders(of: record), record.layers.allSatisfy(BuiltLayer(store).isWhole) else {
      return nil
    }
    let bytes = try imaging(image) { () throws(KernelError) in try store.readBlob(record.configuration) }
    guard let bytes else { return nil }
    do {
      return StoredImage(name: image, record: record, configuration: try ImageConfiguration(bytes), layers: layers)
    } catch {
      throw ImageError(image, what: "the configuration", error, from: store.path)
    }
  }

  // MARK: Pulling

  package struct Pull: Sendable {
    package var image: StoredImage
    package var warnings: [String]
    package var digest: ContentDigest
    /// True if all of it was there before.
    package var wasPresent: Bool
  }

  /// Brings an image into the store, whatever is there. The caller holds the store (``hold()``).
  ///
  /// - Parameters:
  ///   - given: the name that it gets; nil for the source's.
  ///   - report: gets what happens, on the calling thread.
  ///   - interruption: ends it. What has come stays for the next pull.
  package func pull(
    _ source: ImageSource, as given: String? = nil, platform: ImagePlatform = .own, interruption: Interruption,
    report: (PullEvent) -> Void
  ) throws(ImageError) -> Pull {
    let image = "\(source)"
    let cancellation = Cancellation()
    try imaging(image) { () throws(KernelError) in
      try store.prepare()
      try store.removeLeftovers(now: time(nil))
    }
    let name = given ?? Self.storedName(source)
    let known = try known(source, platform)
    return try apart(image, cancellation, interruption, report) { events throws(ImageError) in
      let place = try self.place(of: source)
      let feed = try self.feed(source, place)
      let result = try withExtendedLifetime(place) { () throws(ImageError) in
        try self.take(feed, image: image, platform, known: known, cancellation, events) { manifest, digest in
          [NameRecord(name: name, manifest: manifest, digest: digest)]
        }
      }
      guard let stored = try self.stored(result.record, image) else {
        throw ImageError(image, "it was removed while it came", remedy: "pull it again")
      }
      return Pull(
        image: stored, warnings: result.warnings, digest: result.digest, wasPresent: result.wasPresent)
    }
  }

  /// The record of a name with all of its image here, for the platform that is wanted.
  private func known(_ source: ImageSource, _ platform: ImagePlatform) throws(ImageError) -> NameRecord? {
    guard case .registry = source, let stored = try find(source), platform.runs(stored.configuration.platform) else {
      return nil
    }
    return try? store.record(named: Self.storedName(source))
  }

  /// The digest that a registry has for a name now.
  package func digest(
    of reference: ImageReference, interruption: Interruption
  ) throws(ImageError) -> ContentDigest {
    let order = try RegistryOrder(reference, environment: environment)
    let process = try RegistryProcess(order, registries, environment: environment)
    let cancellation = Cancellation()
    return try apart(reference.familiar, cancellation, interruption, { (_: PullEvent) in }) { _ throws(ImageError) in
      try process.digest(RequestWatch(isStopped: { cancellation.isRaised }, notify: { _ in }))
    }
  }

  /// Takes in all images of an archive or a layout, under the names that they have in it.
  ///
  /// - Returns: what each is called; its id where it has no name.
  package func load(
    _ path: String, platform: ImagePlatform = .own, interruption: Interruption, report: (PullEvent) -> Void
  ) throws(ImageError) -> [String] {
    let cancellation = Cancellation()
    try imaging(path) { () throws(KernelError) in
      try store.prepare()
      try store.removeLeftovers(now: time(nil))
    }
    return try apart(path, cancellation, interruption, report) { events throws(ImageError) in
      let place = try self.place(path)
      return try withExtendedLifetime(place) { () throws(ImageError) in
        var loaded: [String] = []
        for entry in try LocalImages.find(in: place.folder, place: path) {
          let names = entry.names.compactMap { try? ImageReference($0) }
          let result = try self.take(entry.feed, image: path, platform, known: nil, cancellation, events) {
            manifest, digest in
            names.map { NameRecord(name: $0.canonical, manifest: manifest, digest: digest) }
          }
          loaded += names.isEmpty ? ["\(result.record.configuration)"] : names.map(\.familiar)
        }
        return loaded
      }
    }
  }

  private func take(
    _ feed: any ImageFeed, image: String, _ platform: ImagePlatform, known: NameRecord?, _ cancellation: Cancellation,
    _ report: @escaping @Sendable (PullEvent) -> Void, names: (ContentDigest, ContentDigest) -> [NameRecord]
  ) throws(ImageError) -> ImagePull.Result {
    try ImagePull(
      store: store, feed: feed, image: image, platform: platform, launcher: launcher, cancellation: cancellation,
      report: report
    ).run(known: known, names: names)
  }

  private func feed(_ source: ImageSource, _ place: LocalPlace?) throws(ImageError) -> any ImageFeed {
    switch source {
    case .registry(let reference):
      let order = try RegistryOrder(reference, environment: environment)
      return try RegistryProcess(order, registries, environment: environment)
    case .daemon(let name):
      let images = try LocalImages.find(in: place?.folder ?? "", place: "\(source)")
      guard let first = images.first else { throw ImageError("\(source)", "Docker gave no image for \(name)") }
      return first.feed
    case .layout(let path, let name), .archive(let path, let name):
      var images = try LocalImages.find(in: place?.folder ?? path, place: path)
      if let name {
        images = images.filter { entry in
          entry.names.contains(name)
            || entry.names.contains { (try? ImageReference($0)) == (try? ImageReference(name)) }
        }
      }
      guard let first = images.first else {
        throw ImageError("\(source)", name.map { "\(path) has no image \($0)" } ?? "\(path) has no image")
      }
      guard images.count == 1 else {
        let names = images.flatMap(\.names).joined(separator: ", ")
        throw ImageError(
          "\(source)", "\(path) has \(images.count) images", remedy: "name one of them: \(source):name (\(names))")
      }
      return first.feed
    }
  }

  /// A folder with what is at a path: itself, or an archive unpacked, for as long as what is returned lives.
  private func place(_ path: String) throws(ImageError) -> LocalPlace {
    var status = stat()
    guard stat(path, &status) == 0 else { throw ImageError(path, KernelError("open", path, errno: .last)) }
    if status.st_mode & S_IFMT == S_IFDIR { return LocalPlace(folder: path, spool: nil) }
    let place = try spool(path)
    let file = try imaging(path) { () throws(KernelError) in
      Descriptor(adopting: try check("open", path) { open(path, O_RDONLY | O_CLOEXEC) })
    }
    try unpack(path, to: place.folder) { (take) throws(ImageError) in
      let failure = withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Errno? in
        while true {
          let count = read(file.rawValue, buffer.baseAddress, buffer.count)
          if count < 0, Errno.last == .interrupted { continue }
          if count < 0 { return .last }
          guard count > 0, take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return nil }
        }
      }
      if let failure { throw ImageError(path, KernelError("read", path, errno: failure)) }
    }
    return place
  }

  /// The folder of an image that is no registry's.
  private func place(of source: ImageSource) throws(ImageError) -> LocalPlace? {
    switch source {
    case .registry: return nil
    case .layout(let path, _), .archive(let path, _): return try place(path)
    case .daemon(let name):
      let image = "\(source)"
      let daemon = try DockerDaemon(environment: environment, image: image)
      let place = try spool(image)
      try unpack(image, to: place.folder) { (take) throws(ImageError) in
        try daemon.save(name, image: image, take: take)
      }
      return place
    }
  }

  /// An empty folder for what is in an archive.
  private func spool(_ image: String) throws(ImageError) -> LocalPlace {
    let spool = store.passingFolder("archive")
    let place = LocalPlace(folder: "\(spool)/fs", spool: spool)
    try imaging(image) { () throws(KernelError) in
      try Files.makeFolder(spool)
      try Files.makeFolder(place.folder)
    }
    return place
  }

  private func unpack(
    _ path: String, to folder: String,
    from source: ((UnsafeRawBufferPointer) -> Bool) throws(ImageError) -> Void
  ) throws(ImageError) {
    let unpacking = try imaging(path) { () throws(KernelError) in
      try Unpacking(
        launcher,
        UnpackerMessage.Order(
          folder: folder, blobAlgorithm: "sha256", contentAlgorithm: "sha256", cage: store.ingestFolder))
    }
    try source { unpacking.write($0) }
    unpacking.closeInput()
    do throws(LayerError) {
      _ = try unpacking.outcome()
    } catch {
      throw ImageError(path, "the archive cannot be used: \(error)", remedy: error.remedy)
    }
  }

  // MARK: Writing

  /// Writes images with their names as one archive, which Docker and Podman load.
  package func save(_ images: [(record: ImageRecord, names: [String])], to file: FileDescriptor) throws(ImageError) {
    let wanted = images.map { image in
      ImageExport.Image(record: image.record, names: image.names.compactMap { try? ImageReference($0) })
    }
    let name = images.first.map { $0.names.first ?? "\($0.record.configuration)" } ?? ""
    for image in images { try writeBlobs(of: image.record, image: name) }
    try ImageExport(store: store).write(wanted, to: file, image: name)
  }

  private func writeBlobs(of record: ImageRecord, image: String) throws(ImageError) {
    for layer in record.layers {
      do throws(LayerError) {
        try BuiltLayer(store).writeBlob(of: layer)
      } catch {
        throw ImageError(image, "layer \(layer.content.short): \(error.description)", remedy: error.remedy)
      }
    }
  }

  // MARK: Pushing

  /// Brings an image into a registry, under a name. Blobs that are there are not sent again; those of another repository of the
  /// registry are taken over from there. The caller holds the store (``hold()``).
  package func push(
    _ record: ImageRecord, as reference: ImageReference, interruption: Interruption, report: (PushEvent) -> Void
  ) throws(ImageError) {
    let image = reference.familiar
    let bytes = try imaging(image) { () throws(KernelError) in try store.readBlob(record.manifest) }
    guard let bytes, let document = try? ManifestDocument(bytes, type: nil), case .image(let manifest) = document else {
      throw ImageError(image, "its manifest is damaged", remedy: "pull the image again")
    }
    try writeBlobs(of: record, image: image)
    var order = try RegistryOrder(reference, environment: environment)
    order.places = order.places.suffix(1)
    order.actions = "pull,push"
    let origins = self.origins(of: record, in: reference)
    order.further = Array(Set(origins.values.flatMap(\.self))).sorted()
    let process = try RegistryProcess(order, registries, environment: environment)
    let cancellation = Cancellation()
    try apart(image, cancellation, interruption, report) { events throws(ImageError) in
      for blob in manifest.layers + [manifest.config] {
        let name = blob.digest.short
        let watch = RequestWatch(isStopped: { cancellation.isRaised }) { text in
          events(PushEvent(blob: name, state: .retrying(text), bytes: 0, size: blob.size))
        }
        let path = self.store.blob(blob.digest)
        let file = try imaging(image) { () throws(KernelError) in
          Descriptor(adopting: try check("open", path) { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) })
        }
        let upload = try process.upload(blob, from: file, mounting: origins[blob.digest] ?? [], watch) { count in
          events(PushEvent(blob: name, state: .sending, bytes: count, size: blob.size))
        }
        events(PushEvent(blob: name, state: .over(upload), bytes: blob.size, size: blob.size))
      }
      let watch = RequestWatch(isStopped: { cancellation.isRaised }, notify: { _ in })
      try process.put(bytes, type: manifest.mediaType ?? MediaType.dockerManifest, watch)
    }
  }

  /// Other repositories of a registry that have blobs of an image, as far as the names of this host say.
  private func origins(of record: ImageRecord, in reference: ImageReference) -> [ContentDigest: [String]] {
    let wanted = Set([record.configuration] + record.layers.map(\.blob))
    var origins: [ContentDigest: [String]] = [:]
    for name in store.names() {
      guard let other = try? ImageReference(name.name), other.domain == reference.domain, other.path != reference.path,
        let image = store.image(manifest: name.manifest)
      else { continue }
      for blob in wanted.intersection([image.configuration] + image.layers.map(\.blob))
      where (origins[blob]?.count ?? 0) < Self.mostOrigins && origins[blob]?.contains(other.path) != true {
        origins[blob, default: []].append(other.path)
      }
    }
    return origins
  }

  private static let mostOrigins = 3

  // MARK: Credentials

  /// Has a registry check credentials, and keeps them where Docker does.
  ///
  /// - Returns: the file or the program that has them now.
  package func logIn(
    _ domain: String, _ credentials: Credentials, interruption: Interruption
  ) throws(ImageError) -> String {
    var order = try RegistryOrder(
      ImageReference(domain: domain, path: "", tag: nil, digest: nil), environment: environment)
    order.places = order.places.suffix(1)
    order.places[0].login = RegistryLogin(credentials: credentials)
    let process = try RegistryProcess(order, registries, environment: environment)
    let cancellation = Cancellation()
    var kept = credentials
    kept.refreshToken = try apart(domain, cancellation, interruption, { (_: PushEvent) in }) { _ throws(ImageError) in
      try process.logIn(RequestWatch(isStopped: { cancellation.isRaised }, notify: { _ in }))
    }
    do {
      return try CredentialStore(environment: environment).add(kept, for: domain)
    } catch {
      throw ImageError(domain, "\(error)")
    }
  }

  /// Answers whether there was something to forget.
  package func logOut(_ domain: String) throws(ImageError) -> Bool {
    do {
      return try CredentialStore(environment: environment).remove(domain)
    } catch {
      throw ImageError(domain, "\(error)")
    }
  }

  // MARK: Threads

  /// Runs a piece of work on another thread, while this one passes on what happens and looks out for Ctrl-C.
  private func apart<Value: Sendable, Event: Sendable>(
    _ image: String, _ cancellation: Cancellation, _ interruption: Interruption, _ report: (Event) -> Void,
    _ body: @escaping @Sendable (@escaping @Sendable (Event) -> Void) throws(ImageError) -> Value
  ) throws(ImageError) -> Value {
    let work = Work<Value, Event>()
    let thread = try imaging(image) { () throws(KernelError) in
      try Thread.start {
        do throws(ImageError) {
          work.finish(.success(try body { work.add($0) }))
        } catch {
          work.finish(.failure(error))
        }
      }
    }
    while !work.isDone {
      poll(nil, 0, 20)
      if interruption.isInterrupted() { cancellation.raise() }
      for event in work.takeEvents() { report(event) }
    }
    thread.join()
    for event in work.takeEvents() { report(event) }
    return try work.result(image)
  }
}

/// The files of a local image, while it is taken in.
private final class LocalPlace: Sendable {
  let folder: String
  private let spool: String?

  init(folder: String, spool: String?) { (self.folder, self.spool) = (folder, spool) }

  deinit {
    if let spool { try? Files.remove(spool) }
  }
}

/// A value that one thread passes to the one that waits for it.
private final class Work<Value: Sendable, Event: Sendable>: Sendable {
  private struct State {
    var events: [Event] = []
    var result: Result<Value, ImageError>?
  }

  private let state = Mutex(State())

  func add(_ event: Event) { state.withLock { $0.events.append(event) } }
  func finish(_ result: Result<Value, ImageError>) { state.withLock { $0.result = result } }
  var isDone: Bool { state.withLock { $0.result != nil } }

  func takeEvents() -> [Event] {
    state.withLock { state in
      defer { state.events = [] }
      return state.events
    }
  }

  func result(_ image: String) throws(ImageError) -> Value {
    guard let result = state.withLock({ $0.result }) else { throw ImageError(image, "its pull has no end") }
    return try result.get()
  }
}
