import CLinux
import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Registry
import SystemPackage

/// The source of an image's bytes.
protocol ImageFeed: Sendable {
  /// `registry.example`, or a path: for messages.
  var place: String { get }
  /// The image for a platform, with all that is written about it.
  ///
  /// - Parameter known: what stood under the name when it was last looked at.
  /// - Returns: nil when it still does.
  func image(
    for platform: ImagePlatform, known: ContentDigest?, _ watch: RequestWatch
  ) throws(ImageError) -> FedImage?
  /// Brings a layer. `restart` is asked before all begins anew; `take` gets its bytes and answers whether to go on.
  func layer(
    _ blob: BlobDescriptor, from start: Int64, _ watch: RequestWatch, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError)
}

/// An image as a feed describes it; its layers have no sizes yet.
struct FedImage: Sendable {
  var record: ImageRecord
  /// Of what stands under the name: a list's, where it is one.
  var digest: ContentDigest
  var warnings: [String]
  /// Manifests and the configuration.
  var documents: [FedDocument]
}

struct FedDocument: Sendable, Hashable {
  var digest: ContentDigest
  var bytes: [UInt8]
}

struct FedManifest {
  var bytes: [UInt8]
  var type: String?
  var digest: ContentDigest
}

/// A folder with files that somebody else has written: an OCI layout, or what `docker save` writes, unpacked. No link in it leads
/// out of it.
final class FolderFeed: ImageFeed {
  let place: String
  private let image: String
  private let root: Descriptor
  private let top: FedManifest
  /// Files of blobs that do not stand under their digest.
  private let files: [ContentDigest: String]

  init(_ path: String, image: String, place: String, top: FedManifest, files: [ContentDigest: String])
    throws(ImageError)
  {
    (self.image, self.place, self.top, self.files) = (image, place, top, files)
    root = try imaging(image) { () throws(KernelError) in try Self.root(path) }
  }

  static func root(_ path: String) throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  /// Opens a regular file; nil where there is none.
  static func open(_ name: String, in root: borrowing Descriptor) throws(KernelError) -> Descriptor? {
    // An archive may have devices, and opening one is already an order to it.
    let number = stack_openat2(
      root.rawValue, name, UInt64(OpenFlag.path | O_CLOEXEC), 0, ResolveFlag.inRoot | ResolveFlag.noMagicLinks)
    guard number >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw KernelError("open", name, errno: .last)
    }
    let found = Descriptor(adopting: number)
    var status = stat()
    guard fstat(found.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw KernelError("open", name, errno: .invalidArgument, detail: "it is no file")
    }
    return .some(
      Descriptor(
        adopting: try check("open", name) { Glibc.open("/proc/self/fd/\(found.rawValue)", O_RDONLY | O_CLOEXEC) }))
  }

  static func read(_ name: String, in root: borrowing Descriptor, limit: Int) throws(KernelError) -> [UInt8]? {
    guard case .some(let file) = try open(name, in: root) else { return nil }
    do {
      return try file.fileDescriptor.readAll(limit: limit)
    } catch {
      throw KernelError("read", name, errno: error)
    }
  }

  private func name(_ digest: ContentDigest) -> String {
    files[digest] ?? "blobs/\(digest.algorithm.rawValue)/\(digest.hex)"
  }

  private func opened(_ digest: ContentDigest) throws(ImageError) -> Descriptor {
    let file = try imaging(image) { () throws(KernelError) in try Self.open(name(digest), in: root) }
    guard case .some(let file) = consume file else {
      throw ImageError(image, "\(place) has no \(name(digest))", remedy: "the copy is not whole: make it again")
    }
    return file
  }

  private func bytes(_ digest: ContentDigest) throws(ImageError) -> [UInt8] {
    let file = try opened(digest)
    let bytes: [UInt8]
    do {
      bytes = try file.fileDescriptor.readAll(limit: ManifestDocument.limit)
    } catch {
      throw ImageError(image, KernelError("read", "\(place)/\(name(digest))", errno: error))
    }
    guard try hash(bytes, digest.algorithm) == digest else {
      throw ImageError(image, "\(place)/\(name(digest)) is damaged: it has another digest")
    }
    return bytes
  }

  private func hash(_ bytes: [UInt8], _ algorithm: ContentDigest.Algorithm) throws(ImageError) -> ContentDigest {
    do {
      return try ContentHash.digest(of: bytes, algorithm)
    } catch {
      throw ImageError(image, error)
    }
  }

  func image(
    for platform: ImagePlatform, known: ContentDigest?, _ watch: RequestWatch
  ) throws(ImageError) -> FedImage? {
    try ImageResolution(image: image, place: place, platform: platform) { (digest) throws(ImageError) in
      guard let digest else { return self.top }
      return FedManifest(bytes: try self.bytes(digest), type: nil, digest: digest)
    } configuration: { (blob) throws(ImageError) in
      try self.bytes(blob.digest)
    }.resolve()
  }

  func layer(
    _ blob: BlobDescriptor, from start: Int64, _ watch: RequestWatch, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) {
    let file = try opened(blob.digest)
    var offset = off_t(start)
    try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { (buffer) throws(ImageError) in
      while true {
        let count = pread(file.rawValue, buffer.baseAddress, buffer.count, offset)
        if count < 0, Errno.last == .interrupted { continue }
        guard count >= 0 else {
          throw ImageError(image, KernelError("read", "\(place)/\(name(blob.digest))", errno: .last))
        }
        if count == 0 { return }
        offset += off_t(count)
        guard take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
      }
    }
  }
}
