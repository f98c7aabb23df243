import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Layer
import SystemPackage

/// An image as a build has made it: the configuration, and layers that are in the store.
package struct BuiltImage: Sendable {
  /// JSON with `rootfs` and `history`.
  package var configuration: [UInt8]
  /// From the lowest to the topmost.
  package var layers: [ImageRecord.Layer]

  package init(configuration: [UInt8], layers: [ImageRecord.Layer]) {
    (self.configuration, self.layers) = (configuration, layers)
  }
}

extension ImageService {
  /// Makes the folder of a step a layer on top of others. The caller holds the store (``hold()``).
  ///
  /// - Returns: nil for a folder without anything in it, which is gone then.
  package func commit(
    step name: String, on lower: [ImageRecord.Layer], image: String
  ) throws(ImageError) -> ImageRecord.Layer? {
    let measured: (content: ContentDigest, contents: LayerContents)
    do throws(LayerError) {
      measured = try BuiltLayer(store).measure("\(store.layersFolder)/\(name)/fs")
    } catch {
      var failure = ImageError(image, "the layer of the step: \(error.description)", remedy: error.remedy)
      failure.isOutOfSpace = error.isOutOfSpace
      throw failure
    }
    guard measured.contents.entries > 0 else {
      store.abandon(step: name)
      return nil
    }
    let chain: ContentDigest
    do {
      chain = try ChainID.all(of: lower.map(\.content) + [measured.content]).last ?? measured.content
    } catch {
      throw ImageError(image, error)
    }
    let record = LayerRecord(
      chain: chain, content: measured.content, parent: lower.last?.chain, size: measured.contents.size,
      largestID: measured.contents.largestID, isBuilt: true)
    _ = try imaging(image) { () throws(KernelError) in try store.commit(step: name, record) }
    return ImageRecord.Layer(
      blob: measured.content, blobSize: measured.contents.size, content: measured.content, chain: chain,
      size: measured.contents.size, largestID: measured.contents.largestID)
  }

  /// Makes layers of the store an image, under names that it then has. The caller holds the store (``hold()``).
  ///
  /// - Parameter base: the image that the lowest layers are of: its manifest says of what type each is.
  package func commit(
    _ built: BuiltImage, on base: ImageRecord?, as names: [ImageReference], image: String
  ) throws(ImageError) -> ImageRecord {
    let types = try types(of: base, image: image)
    let layers = built.layers.map { layer in
      BlobDescriptor(mediaType: types[layer.blob] ?? MediaType.layer, digest: layer.blob, size: layer.blobSize)
    }
    let configuration = try ImageConfiguration.reading(built.configuration, image: image)
    let document = ImageManifest(
      config: BlobDescriptor(
        mediaType: MediaType.configuration, digest: try digest(of: built.configuration, image),
        size: Int64(built.configuration.count)), layers: layers)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    let manifest = (try? encoder.encode(document)).map { Array($0) } ?? []
    let digest = try digest(of: manifest, image)
    let record = ImageRecord(
      manifest: digest, configuration: document.config.digest, index: nil, platform: "\(configuration.platform)",
      created: configuration.created, layers: built.layers)
    let names = names.map { NameRecord(name: $0.canonical, manifest: digest, digest: digest) }
    if store.image(manifest: digest) == record, (try? isNamed(names)) == true { return record }
    try imaging(image) { () throws(KernelError) in
      try store.write(built.configuration, as: document.config.digest)
      try store.write(manifest, as: digest)
      try store.commit(record, names: names)
    }
    return record
  }

  private func isNamed(_ names: [NameRecord]) throws(LibraryError) -> Bool {
    for name in names where try store.record(named: name.name) != name { return false }
    return true
  }

  private func types(of base: ImageRecord?, image: String) throws(ImageError) -> [ContentDigest: String] {
    guard let base else { return [:] }
    let bytes = try imaging(image) { () throws(KernelError) in try store.readBlob(base.manifest) }
    guard let bytes, case .image(let manifest)? = try? ManifestDocument(bytes, type: nil) else { return [:] }
    return Dictionary(
      manifest.layers.compactMap { layer in layer.mediaType.map { (layer.digest, $0) } }, uniquingKeysWith: { $1 })
  }

  private func digest(of bytes: [UInt8], _ image: String) throws(ImageError) -> ContentDigest {
    do {
      return try ContentHash.digest(of: bytes)
    } catch {
      throw ImageError(image, error)
    }
  }
}

extension ImageConfiguration {
  fileprivate static func reading(_ bytes: [UInt8], image: String) throws(ImageError) -> ImageConfiguration {
    do {
      return try ImageConfiguration(bytes)
    } catch {
      throw ImageError(image, what: "the configuration", error, from: "the build")
    }
  }
}
