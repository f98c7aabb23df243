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

/// The events of a pull.
package struct PullEvent: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case waiting, downloading, unpacking, done, present
  }

  package var image: String
  /// Short, as people know layers.
  package var layer: String
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
  func run(names: (ContentDigest, ContentDigest) -> [NameRecord]) throws(ImageError) -> Result {
    let top = try feed.manifest(nil)
    var (index, chosen, choice): (ContentDigest?, FedManifest, BlobDescriptor?) = (nil, top, nil)
    var document = try read(top)
    var depth = 0
    while case .index(let list) = document {
      depth += 1
      guard depth <= 4 else { throw ImageError(image, "its list leads to further lists without an end") }
      guard let found = platform.choose(from: list.manifests) else { throw missing(in: list) }
      if index == nil { index = top.digest }
      choice = found
      chosen = try feed.manifest(found.digest)
      guard Int64(chosen.bytes.count) == found.size else {
        throw ImageError(
          image,
          "the manifest \(found.digest.short) from \(feed.place) has \(chosen.bytes.count) bytes, and its list says \(found.size)"
        )
      }
      document = try read(chosen)
    }
    guard case .image(let manifest) = document else { throw ImageError(image, "it has no manifest") }
    let bytes = try feed.small(manifest.config)
    let configuration: ImageConfiguration
    do {
      configuration = try ImageConfiguration(bytes)
    } catch {
      throw ImageError(image, what: "the configuration", error, from: feed.place)
    }
    let record = try record(manifest, chosen.digest, configuration, index: index)
    var warnings: [String] = []
    if choice?.platform == nil, !platform.runs(configuration.platform), configuration.architecture != nil {
      warnings.append("\(image) is for \(configuration.platform), and this machine is \(platform)")
    }
    let small = [(top.digest, top.bytes), (chosen.digest, chosen.bytes), (manifest.config.digest, bytes)]
    return try take(record, small, top.digest, names: names, warnings)
  }

  private func read(_ manifest: FedManifest) throws(ImageError) -> ManifestDocument {
    do {
      return try ManifestDocument(manifest.bytes, type: manifest.type)
    } catch {
      throw ImageError(image, what: "the manifest", error, from: feed.place)
    }
  }

  private func missing(in list: ImageIndex) -> ImageError {
    let there = list.manifests.compactMap { entry -> String? in
      guard let platform = entry.platform, let os = platform.os, os != "unknown" else { return nil }
      return "\(ImagePlatform(os: os, architecture: platform.architecture ?? "", variant: platform.variant ?? ""))"
    }
    let words = there.isEmpty ? "for none" : "for \(Set(there).sorted().joined(separator: ", "))"
    return ImageError(
      image, "\(feed.place) has it \(words), and not for \(platform)",
      remedy: "name another image, or another platform: platform: linux/…")
  }

  private func record(
    _ manifest: ImageManifest, _ digest: ContentDigest, _ configuration: ImageConfiguration, index: ContentDigest?
  ) throws(ImageError) -> ImageRecord {
    let contents = configuration.diffIDs
    guard contents.count == manifest.layers.count else {
      throw ImageError(
        image,
        "the manifest from \(feed.place) has \(manifest.layers.count) layers, and the configuration \(contents.count)")
    }
    let chains: [ContentDigest]
    do {
      chains = try ChainID.all(of: contents)
    } catch {
      throw ImageError(image, error)
    }
    let layers = manifest.layers.indices.map { place in
      ImageRecord.Layer(
        blob: manifest.layers[place].digest, blobSize: manifest.layers[place].size, content: contents[place],
        chain: chains[place], size: 0, largestID: 0)
    }
    return ImageRecord(
      manifest: digest, configuration: manifest.config.digest, index: index,
      platform: "\(configuration.platform)", created: configuration.created, layers: layers)
  }

  // MARK: Layers

  private func take(
    _ record: ImageRecord, _ small: [(ContentDigest, [UInt8])], _ digest: ContentDigest,
    names: (ContentDigest, ContentDigest) -> [NameRecord], _ warnings: [String]
  ) throws(ImageError) -> Result {
    var (record, warnings) = (record, warnings)
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
      for (digest, bytes) in small { try store.write(bytes, as: digest) }
      if !isPresent { try store.sync() }
      try batch.commit()
      try store.commit(record, names: names(record.manifest, digest))
    }
    return Result(record: record, digest: digest, warnings: warnings, wasPresent: isPresent)
  }
}
