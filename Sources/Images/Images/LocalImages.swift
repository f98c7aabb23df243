import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import Kernel
import SystemPackage

/// The images of a folder: an OCI image layout (image-layout.md), or what `docker save` wrote, unpacked.
struct LocalImages {
  /// One image of the archive.
  struct Entry {
    var feed: FolderFeed
    /// The image's name there, as it is written.
    var names: [String]
  }

  /// - Parameter place: what people know the folder by.
  static func find(in folder: String, place: String) throws(ImageError) -> [Entry] {
    let root = try imaging(place) { () throws(KernelError) in try FolderFeed.root(folder) }
    // Both may be there: the layout's list may name platforms that are not (kind #3795).
    if let bytes = try read("manifest.json", root, place) { return try archive(bytes, folder, root, place) }
    guard let bytes = try read("index.json", root, place) else {
      throw ImageError(
        place, "it has neither an index.json nor a manifest.json",
        remedy: "name an OCI layout (skopeo copy … oci:folder), or what `docker save` writes")
    }
    return try layout(bytes, folder, place)
  }

  private static func read(
    _ name: String, _ root: borrowing Descriptor, _ place: String
  ) throws(ImageError) -> [UInt8]? {
    do {
      return try FolderFeed.read(name, in: root, limit: ManifestDocument.limit)
    } catch {
      throw ImageError(place, error)
    }
  }

  // MARK: OCI layout

  private static let nameKeys = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]

  private static func layout(_ bytes: [UInt8], _ folder: String, _ place: String) throws(ImageError) -> [Entry] {
    let index: ImageIndex
    do {
      index = try JSONDecoder().decode(ImageIndex.self, from: Data(bytes))
    } catch {
      throw ImageError(place, "its index.json is damaged")
    }
    var entries: [Entry] = []
    for manifest in index.manifests {
      let name = nameKeys.compactMap { manifest.annotations?[$0] }.first { !$0.isEmpty }
      let file = "blobs/\(manifest.digest.algorithm.rawValue)/\(manifest.digest.hex)"
      let root = try imaging(place) { () throws(KernelError) in try FolderFeed.root(folder) }
      guard let bytes = try read(file, root, place) else { continue }
      let top = FedManifest(bytes: bytes, type: manifest.mediaType, digest: manifest.digest)
      guard try hash(bytes, manifest.digest.algorithm, place) == manifest.digest else {
        throw ImageError(place, "\(file) is damaged: it has another digest")
      }
      entries.append(
        Entry(
          feed: try FolderFeed(folder, image: place, place: place, top: top, files: [:]),
          names: [name].compactMap(\.self)))
    }
    return entries
  }

  // MARK: docker save

  private struct SavedImage: Decodable {
    var config: String
    var repoTags: [String]?
    var layers: [String]

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case repoTags = "RepoTags"
      case layers = "Layers"
    }
  }

  private static func archive(
    _ bytes: [UInt8], _ folder: String, _ root: borrowing Descriptor, _ place: String
  ) throws(ImageError) -> [Entry] {
    let saved: [SavedImage]
    do {
      saved = try JSONDecoder().decode([SavedImage].self, from: Data(bytes))
    } catch {
      throw ImageError(place, "its manifest.json is damaged")
    }
    var entries: [Entry] = []
    for image in saved {
      var files: [ContentDigest: String] = [:]
      let config = try describe(image.config, root, place, MediaType.configuration)
      files[config.digest] = image.config
      var layers: [BlobDescriptor] = []
      for layer in image.layers {
        let blob = try describe(layer, root, place, MediaType.layer)
        files[blob.digest] = layer
        layers.append(blob)
      }
      // There is no manifest of a registry's in it: this one says the same.
      let manifest = encoded(ImageManifest(config: config, layers: layers))
      let digest = try hash(manifest, .sha256, place)
      let top = FedManifest(bytes: manifest, type: MediaType.manifest, digest: digest)
      entries.append(
        Entry(
          feed: try FolderFeed(folder, image: place, place: place, top: top, files: files), names: image.repoTags ?? [])
      )
    }
    return entries
  }

  private static func encoded(_ manifest: ImageManifest) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(manifest)).map { Array($0) } ?? []
  }

  private static func describe(
    _ name: String, _ root: borrowing Descriptor, _ place: String, _ type: String
  ) throws(ImageError) -> BlobDescriptor {
    do {
      guard case .some(let file) = try FolderFeed.open(name, in: root) else {
        throw ImageError(place, "it has no \(VisibleText.line(name))", remedy: "the copy is not whole: make it again")
      }
      var hash = try ContentHash()
      var size: Int64 = 0
      let failure = withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Errno? in
        while true {
          let count = Glibc.read(file.rawValue, buffer.baseAddress, buffer.count)
          if count < 0, Errno.last == .interrupted { continue }
          if count <= 0 { return count == 0 ? nil : .last }
          hash.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          size += Int64(count)
        }
      }
      if let failure { throw KernelError("read", "\(place)/\(name)", errno: failure) }
      return BlobDescriptor(mediaType: type, digest: try hash.digest(), size: size)
    } catch let error as KernelError {
      throw ImageError(place, error)
    } catch let error as LibraryError {
      throw ImageError(place, error)
    } catch let error as ImageError {
      throw error
    } catch {
      throw ImageError(place, "it cannot be read: \(error)")
    }
  }

  private static func hash(
    _ bytes: [UInt8], _ algorithm: ContentDigest.Algorithm, _ place: String
  ) throws(ImageError) -> ContentDigest {
    do {
      return try ContentHash.digest(of: bytes, algorithm)
    } catch {
      throw ImageError(place, error)
    }
  }
}
