import Digests
import FoundationEssentials
import ImageFormat
import ImageReference
import ImageStore

/// The way from a name to one image: its manifest, through lists of platforms, and its configuration, each checked.
struct ImageResolution {
  let image: String
  /// Its source, for messages.
  let place: String
  let platform: ImagePlatform
  /// The manifest with a digest, or the one that the name means.
  let manifest: (ContentDigest?) throws(ImageError) -> FedManifest
  let configuration: (BlobDescriptor) throws(ImageError) -> [UInt8]

  private static let mostLists = 4

  func resolve() throws(ImageError) -> FedImage {
    let top = try manifest(nil)
    var (index, chosen, choice): (ContentDigest?, FedManifest, BlobDescriptor?) = (nil, top, nil)
    var document = try read(top)
    var depth = 0
    while case .index(let list) = document {
      depth += 1
      guard depth <= Self.mostLists else { throw ImageError(image, "its list leads to further lists without an end") }
      guard let found = platform.choose(from: list.manifests) else { throw missing(in: list) }
      if index == nil { index = top.digest }
      choice = found
      chosen = try manifest(found.digest)
      guard Int64(chosen.bytes.count) == found.size else {
        throw ImageError(
          image,
          "the manifest \(found.digest.short) from \(place) has \(chosen.bytes.count) bytes, and its list says \(found.size)"
        )
      }
      document = try read(chosen)
    }
    guard case .image(let manifest) = document else { throw ImageError(image, "it has no manifest") }
    let bytes = try self.configuration(manifest.config)
    let configuration: ImageConfiguration
    do {
      configuration = try ImageConfiguration(bytes)
    } catch {
      throw ImageError(image, what: "the configuration", error, from: place)
    }
    var warnings: [String] = []
    if choice?.platform == nil, !platform.runs(configuration.platform), configuration.architecture != nil {
      warnings.append("\(image) is for \(configuration.platform), and this machine is \(platform)")
    }
    var documents = [FedDocument(digest: top.digest, bytes: top.bytes)]
    if chosen.digest != top.digest { documents.append(FedDocument(digest: chosen.digest, bytes: chosen.bytes)) }
    documents.append(FedDocument(digest: manifest.config.digest, bytes: bytes))
    return FedImage(
      record: try record(manifest, chosen.digest, configuration, index: index), digest: top.digest, warnings: warnings,
      documents: documents)
  }

  private func read(_ manifest: FedManifest) throws(ImageError) -> ManifestDocument {
    do {
      return try ManifestDocument(manifest.bytes, type: manifest.type)
    } catch {
      throw ImageError(image, what: "the manifest", error, from: place)
    }
  }

  private func missing(in list: ImageIndex) -> ImageError {
    let there = list.manifests.compactMap { entry -> String? in
      guard let platform = entry.platform, let os = platform.os, os != "unknown" else { return nil }
      return "\(ImagePlatform(os: os, architecture: platform.architecture ?? "", variant: platform.variant ?? ""))"
    }
    let words = there.isEmpty ? "for none" : "for \(Set(there).sorted().joined(separator: ", "))"
    return ImageError(
      image, "\(place) has it \(words), and not for \(platform)",
      remedy: "name another image, or another platform: platform: linux/…")
  }

  private func record(
    _ manifest: ImageManifest, _ digest: ContentDigest, _ configuration: ImageConfiguration, index: ContentDigest?
  ) throws(ImageError) -> ImageRecord {
    let contents = configuration.diffIDs
    guard contents.count == manifest.layers.count else {
      throw ImageError(
        image,
        "the manifest from \(place) has \(manifest.layers.count) layers, and the configuration \(contents.count)")
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
}
