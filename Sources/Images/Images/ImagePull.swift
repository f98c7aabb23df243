import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Layer
import Registry
import Synchronization
import SystemPackage

/// The events of a pull.
package struct PullEvent: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case waiting, downloading, unpacking, done, present
    /// Something went wrong that may pass: what, and when it is tried again.
    case retrying(String)
  }

  package var image: String
  /// Short, as people know layers. Nil: it is about the image.
  package var layer: String?
  package var state: State
  package var bytes: Int64
  package var size: Int64
}

/// The events of a push.
package struct PushEvent: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case sending
    case over(RegistryClient.Upload)
    case retrying(String)
  }

  /// Short.
  package var blob: String
  package var state: State
  package var bytes: Int64
  package var size: Int64
}

/// Takes one image from a feed into the store.
final class ImagePull: Sendable {
  private let store: ImageStore
  private let feed: any ImageFeed
  private let image: String
  private let platform: ImagePlatform
  private let launcher: any UnpackerLauncher
  private let cancellation: Cancellation
  private let report: @Sendable (PullEvent) -> Void

  static let layersAtOnce = 3

  init(
    store: ImageStore, feed: any ImageFeed, image: String, platform: ImagePlatform, launcher: any UnpackerLauncher,
    cancellation: Cancellation, report: @escaping @Sendable (PullEvent) -> Void
  ) {
    (self.store, self.feed, self.image, self.platform) = (store, feed, image, platform)
    (self.launcher, self.cancellation, self.report) = (launcher, cancellation, report)
  }

  /// The result of a pull.
  struct Result: Sendable {
    var record: ImageRecord
    /// Of what stands under the name: a list's, where it is one.
    var digest: ContentDigest
    var warnings: [String]
    /// True if all of it was there.
    var wasPresent: Bool
  }

  /// The caller holds the store's lock, shared.
  ///
  /// - Parameter known: the record of the image's name, with all of its image there.
  func run(
    known: NameRecord?, names: (ContentDigest, ContentDigest) -> [NameRecord]
  ) throws(ImageError) -> Result {
    let watch = RequestWatch(isStopped: { [cancellation] in cancellation.isRaised }) { [report, image] text in
      report(PullEvent(image: image, layer: nil, state: .retrying(text), bytes: 0, size: 0))
    }
    guard let found = try feed.image(for: platform, known: known?.digest, watch) else {
      guard let known, let record = store.image(manifest: known.manifest) else {
        throw ImageError(image, "\(feed.place) says that nothing has changed")
      }
      return Result(record: record, digest: known.digest, warnings: [], wasPresent: true)
    }
    return try take(found, watch, names: names)
  }

  // MARK: Layers

  private func take(
    _ found: FedImage, _ watch: RequestWatch, names: (ContentDigest, ContentDigest) -> [NameRecord]
  ) throws(ImageError) -> Result {
    var (record, warnings) = (found.record, found.warnings)
    let batch = LayerBatch(
      store: store, feed: feed, image: image, launcher: launcher, cancellation: cancellation, report: report)
    // In order and before anything is fetched: so two pulls never wait for each other.
    for layer in record.layers { try batch.add(layer) }
    try batch.run()
    let isPresent = batch.isEmpty
    for (place, layer) in batch.layers.enumerated() {
      record.layers[place].size = layer.size
      record.layers[place].largestID = layer.largestID
    }
    warnings += batch.warnings.map { "\(image): \($0)" }
    try imaging(image) { () throws(KernelError) in
      for document in found.documents { try store.write(document.bytes, as: document.digest) }
      if !isPresent { try store.sync() }
      try batch.commit()
      try store.commit(record, names: names(record.manifest, found.digest))
    }
    return Result(record: record, digest: found.digest, warnings: warnings, wasPresent: isPresent)
  }
}
