import ImageFormat
import ImageReference
import Registry

/// An image of a registry, with the mirrors that may have it too. Each is asked in turn, for each part anew.
struct RegistryFeed: ImageFeed {
  private let clients: [RegistryClient]
  private let image: String
  let place: String

  init(
    _ reference: ImageReference, environment: [String: String], cancellation: Cancellation
  ) throws(ImageError) {
    image = reference.familiar
    place = reference.domain
    do throws(RegistryError) {
      let places = try RegistriesConfiguration.read(environment: environment).places(of: reference)
      clients = places.map { place in
        RegistryClient(
          place.reference, endpoint: RegistryEndpoint(place.reference, isInsecure: place.isInsecure),
          credentials: CredentialFiles(environment: environment), cancellation: cancellation,
          // A mirror that is away is no reason to wait.
          delays: place == places.last ? RetryDelays() : RetryDelays(most: 1, first: 0, longest: 0))
      }
    } catch {
      throw ImageError(image, error)
    }
  }

  /// - Throws: what the last of them said.
  private func ask<Value>(_ body: (RegistryClient) throws(RegistryError) -> Value) throws(ImageError) -> Value {
    var failure = RegistryError.stopped
    for client in clients {
      do throws(RegistryError) {
        return try body(client)
      } catch {
        failure = error
        if error.kind == .stopped { break }
      }
    }
    throw ImageError(image, failure)
  }

  func manifest(_ digest: ContentDigest?) throws(ImageError) -> FedManifest {
    try ask { (client) throws(RegistryError) in
      let found = try client.manifest(digest.map { "\($0)" } ?? client.reference.selector)
      return FedManifest(bytes: found.bytes, type: found.type, digest: found.digest)
    }
  }

  func small(_ blob: BlobDescriptor) throws(ImageError) -> [UInt8] {
    try ask { (client) throws(RegistryError) in try client.blob(blob, limit: ManifestDocument.limit) }
  }

  func layer(
    _ blob: BlobDescriptor, from start: Int64, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) {
    // The next one goes on where the one before it ended.
    let progress = Progress(start)
    try ask { (client) throws(RegistryError) in
      try client.download(blob, from: progress.have) {
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
}
