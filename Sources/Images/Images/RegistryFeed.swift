import ImageFormat
import ImageReference
import Registry
import Synchronization

/// An image of a registry, with the mirrors that may have it too. Each is asked in turn, for each part anew.
final class RegistryFeed: ImageFeed {
  private let clients: [RegistryClient]
  private let image: String
  let place: String
  /// Mirrors that cannot be reached are asked once.
  private let unreachable = Mutex<Set<Int>>([])

  init(_ order: RegistryOrder) {
    (image, place) = (order.image, order.place)
    let last = order.places.count - 1
    clients = order.places.enumerated().map { number, place in
      // A mirror that is away is no reason to wait.
      RegistryClient(
        place.reference, endpoint: place.endpoint, login: place.login, actions: order.actions, further: order.further,
        delays: number == last ? RetryDelays() : .none)
    }
  }

  /// - Throws: what the registry itself said, with what became of its mirrors.
  private func ask<Value>(_ body: (RegistryClient) throws(RegistryError) -> Value) throws(ImageError) -> Value {
    var (failure, mirrors) = (RegistryError.stopped, [String]())
    for (number, client) in clients.enumerated() where !unreachable.withLock({ $0.contains(number) }) {
      do throws(RegistryError) {
        return try body(client)
      } catch {
        failure = error
        if error.kind == .stopped { break }
        guard number < clients.count - 1 else { break }
        mirrors.append(error.description)
        if error.kind == .unreachable { _ = unreachable.withLock { $0.insert(number) } }
      }
    }
    if failure.kind != .stopped, !mirrors.isEmpty {
      failure.description += " (its mirrors: \(mirrors.joined(separator: "; ")))"
    }
    throw ImageError(image, failure)
  }

  func image(
    for platform: ImagePlatform, known: ContentDigest?, _ watch: RequestWatch
  ) throws(ImageError) -> FedImage? {
    if let known, try named(watch) == known { return nil }
    return try ImageResolution(image: image, place: place, platform: platform) { (digest) throws(ImageError) in
      try self.ask { (client) throws(RegistryError) in
        let found = try client.manifest(digest.map { "\($0)" } ?? client.reference.selector, watch)
        return FedManifest(bytes: found.bytes, type: found.type, digest: found.digest)
      }
    } configuration: { (blob) throws(ImageError) in
      try self.ask { (client) throws(RegistryError) in
        try client.blob(blob, limit: ManifestDocument.limit, watch)
      }
    }.resolve()
  }

  /// The digest that the name has now.
  func digest(_ watch: RequestWatch) throws(ImageError) -> ContentDigest {
    if let digest = try named(watch) { return digest }
    return try ask { (client) throws(RegistryError) in try client.manifest(client.reference.selector, watch).digest }
  }

  private func named(_ watch: RequestWatch) throws(ImageError) -> ContentDigest? {
    try ask { (client) throws(RegistryError) in try client.digest(of: client.reference.selector, watch) }
  }

  func layer(
    _ blob: BlobDescriptor, from start: Int64, _ watch: RequestWatch, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) {
    // The next one goes on where the one before it ended.
    let progress = Progress(start)
    try ask { (client) throws(RegistryError) in
      try client.download(blob, from: progress.have, watch) {
        progress.have = 0
        return restart()
      } take: { bytes in
        progress.have += Int64(bytes.count)
        return take(bytes)
      }
    }
  }

  private final class Progress {
    var have: Int64
    init(_ have: Int64) { self.have = have }
  }

  // MARK: The registry itself

  /// Asks the registry alone, and none of its mirrors.
  func own<Value>(_ body: (RegistryClient) throws(RegistryError) -> Value) throws(ImageError) -> Value {
    do throws(RegistryError) {
      guard let client = clients.last else { throw RegistryError.stopped }
      return try body(client)
    } catch {
      throw ImageError(image, error)
    }
  }
}
