import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Layer
import SystemPackage

/// An image made of a service: the files that it has written are a further layer on its own image. The result is an OCI
/// layout in the ingest folder, and is taken in like any other.
struct ImageCommit {
  let store: ImageStore
  let base: ImageRecord
  /// For messages: what people know the new image by.
  let image: String

  struct Origin {
    /// The writable layer.
    var folder: String
    /// The number outside of its root; nil for the host's.
    var firstID: UInt32?
    var author: String?
    var message: String?
    /// RFC 3339.
    var created: String
  }

  /// Makes the layout in a folder.
  func write(_ origin: Origin, in folder: String) throws(ImageError) {
    try imaging(image) { () throws(KernelError) in
      for path in [folder, "\(folder)/blobs", "\(folder)/blobs/sha256"] { try Files.makeFolder(path) }
    }
    let layer = try writeLayer(origin, in: folder)
    let configuration = try write(try self.configuration(origin, layer: layer.digest), in: folder)
    var layers: [BlobDescriptor] = []
    for lower in base.layers {
      layers.append(BlobDescriptor(mediaType: try type(of: lower), digest: lower.blob, size: lower.blobSize))
    }
    layers.append(BlobDescriptor(mediaType: MediaType.layer, digest: layer.digest, size: layer.size))
    let manifest = try write(
      json(
        ImageManifest(
          config: BlobDescriptor(
            mediaType: MediaType.configuration, digest: configuration.digest, size: configuration.size),
          layers: layers)), in: folder)
    let index = ImageIndex(
      manifests: [BlobDescriptor(mediaType: MediaType.manifest, digest: manifest.digest, size: manifest.size)])
    try imaging(image) { () throws(KernelError) in
      try Files.replace("\(folder)/index.json", with: json(index))
    }
  }

  private typealias Blob = (digest: ContentDigest, size: Int64)

  private func writeLayer(_ origin: Origin, in folder: String) throws(ImageError) -> Blob {
    let path = "\(folder)/layer"
    let file = try imaging(image) { () throws(KernelError) in
      Descriptor(
        adopting: try check("make", path) { open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) })
    }
    do throws(LayerError) {
      var writer = LayerWriter(file.fileDescriptor, firstID: origin.firstID)
      try writer.write(origin.folder)
    } catch {
      throw ImageError(image, "what the service wrote cannot be read: \(error)", remedy: error.remedy)
    }
    let blob = try hash(file)
    guard rename(path, place(blob.digest, folder)) == 0 else {
      throw ImageError(image, KernelError("name", path, errno: .last))
    }
    return blob
  }

  private func place(_ digest: ContentDigest, _ folder: String) -> String {
    "\(folder)/blobs/\(digest.algorithm.rawValue)/\(digest.hex)"
  }

  private func hash(_ file: borrowing Descriptor) throws(ImageError) -> Blob {
    do {
      var hash = try ContentHash()
      var size: off_t = 0
      let number = file.rawValue
      let failure = withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Errno? in
        while true {
          let count = pread(number, buffer.baseAddress, buffer.count, size)
          if count < 0, Errno.last == .interrupted { continue }
          if count <= 0 { return count == 0 ? nil : .last }
          hash.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          size += off_t(count)
        }
      }
      if let failure { throw ImageError(image, KernelError("read", "the layer", errno: failure)) }
      return (try hash.digest(), Int64(size))
    } catch let error as LibraryError {
      throw ImageError(image, error)
    } catch let error as ImageError {
      throw error
    } catch {
      throw ImageError(image, "\(error)")
    }
  }

  private func write(_ bytes: [UInt8], in folder: String) throws(ImageError) -> Blob {
    let digest: ContentDigest
    do {
      digest = try ContentHash.digest(of: bytes)
    } catch {
      throw ImageError(image, error)
    }
    try imaging(image) { () throws(KernelError) in try Files.replace(place(digest, folder), with: bytes) }
    return (digest, Int64(bytes.count))
  }

  /// The manifest of the image below says of what type each of its layers is.
  private func type(of layer: ImageRecord.Layer) throws(ImageError) -> String? {
    let bytes = try imaging(image) { () throws(KernelError) in try store.readBlob(base.manifest) }
    guard let bytes, case .image(let manifest)? = try? ManifestDocument(bytes, type: nil) else { return nil }
    return manifest.layers.first { $0.digest == layer.blob }?.mediaType
  }

  /// The configuration of the image below, with all that is in it, and one layer more.
  private func configuration(_ origin: Origin, layer: ContentDigest) throws(ImageError) -> [UInt8] {
    let bytes = try imaging(image) { () throws(KernelError) in try store.readBlob(base.configuration) }
    guard let bytes, case .object(var all)? = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
      throw ImageError(image, "the configuration of the image below is damaged", remedy: "pull that image again")
    }
    var step: [String: JSONValue] = ["created": .text(origin.created), "created_by": .text("stack commit")]
    if let message = origin.message { step["comment"] = .text(message) }
    if let author = origin.author { (all["author"], step["author"]) = (.text(author), .text(author)) }
    all["created"] = .text(origin.created)
    var history: [JSONValue] = []
    if case .list(let former)? = all["history"] { history = former }
    all["history"] = .list(history + [.object(step)])
    all["rootfs"] = .object([
      "type": .text("layers"),
      "diff_ids": .list((base.layers.map(\.content) + [layer]).map { .text("\($0)") }),
    ])
    return json(all)
  }

  private func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }
}

extension ImageService {
  /// Takes in what a service has written as an image on top of its own. The caller holds the store (``hold()``).
  ///
  /// - Parameters:
  ///   - folder: the writable layer.
  ///   - firstID: the number outside of its root; nil for the host's.
  package func commit(
    _ folder: String, firstID: UInt32?, on base: ImageRecord, as name: ImageReference, author: String?,
    message: String?, interruption: Interruption
  ) throws(ImageError) -> ImageRecord {
    let image = name.familiar
    let commit = ImageCommit(store: store, base: base, image: image)
    let origin = ImageCommit.Origin(
      folder: folder, firstID: firstID, author: author, message: message, created: Date.now.formatted(.iso8601))
    let place = store.passingFolder("commit")
    defer { try? Files.remove(place) }
    try imaging(image) { () throws(KernelError) in try store.prepare() }
    try commit.write(origin, in: place)
    return try pull(
      .layout(path: place, name: nil), as: name.canonical, interruption: interruption, report: { _ in }
    ).image.record
  }
}
