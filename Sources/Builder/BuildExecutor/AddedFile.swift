import BuildCache
import Digests
import Glibc
import ImageReference
import ImageStore
import Images
import Kernel
import SystemPackage

extension StageBuilder {
  /// Fetches a file of the web. A Dockerfile alone reaches neither this host's loopback nor link-local addresses, as its steps
  /// do not.
  func added(_ address: String, checksum: String?) throws -> AddedFile {
    try AddedFile(address, checksum: checksum, reachesHost: request.network == .host, services)
  }
}

/// A file that ADD has fetched from the web. It goes with this value.
final class AddedFile {
  let name: [UInt8]
  let digest: ContentDigest
  /// Seconds since 1970.
  let modified: Int64?
  private let file: Descriptor

  /// - Parameters:
  ///   - checksum: the digest that it must have.
  ///   - reachesHost: false refuses addresses of this host's loopback and link-local ones.
  init(_ address: String, checksum: String?, reachesHost: Bool, _ services: BuildServices) throws {
    // The file has no name there once it is open.
    let folder = services.store.ingestFolder
    let path = "\(folder)/add.\(getpid()).\(UInt64.random(in: 0 ... .max)).part"
    file = Descriptor(
      adopting: try check("make", path) { open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) })
    unlink(path)
    let target = Target(file.fileDescriptor)
    let stop = services.stop
    do throws(ImageError) {
      modified = try services.images.fetch(
        address, reachesHost: reachesHost, isStopped: { stop.isRaised }, take: target.take
      ).modified
    } catch {
      if let failure = target.failure { throw KernelError("keep", address, errno: failure) }
      guard !stop.isRaised else { throw BuildFailure.stopped }
      throw BuildFailure(nil, error.problem, remedy: error.remedy)
    }
    digest = try Self.digest(of: file)
    if let checksum, "\(digest)" != checksum {
      throw BuildFailure(
        nil, "\(address) has the digest \(digest), and not \(checksum)",
        remedy: "see whether the file was changed, and whether the checksum is right")
    }
    let plain = address.prefix { $0 != "?" && $0 != "#" }
    // The first two are the scheme and the host.
    name = Array((plain.split(separator: "/").dropFirst(2).last ?? "").utf8)
  }

  /// The file as it grows.
  private final class Target {
    private let file: FileDescriptor
    private(set) var failure: Errno?

    init(_ file: FileDescriptor) { self.file = file }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
      do throws(Errno) {
        try file.writeInFull(bytes)
        return true
      } catch {
        failure = error
        return false
      }
    }
  }

  private static func digest(of file: borrowing Descriptor) throws -> ContentDigest {
    var hash = try ContentHash()
    try read(file) { hash.add($0) }
    return try hash.digest()
  }

  private static func read(_ file: borrowing Descriptor, _ take: ([UInt8]) throws -> Void) throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var place: off_t = 0
    while true {
      let count = chunk.withUnsafeMutableBytes { pread(file.rawValue, $0.baseAddress, $0.count, place) }
      if count < 0, Errno.last == .interrupted { continue }
      guard count >= 0 else { throw KernelError("read", "what was fetched", errno: .last) }
      if count == 0 { return }
      try take(Array(chunk[..<count]))
      place += off_t(count)
    }
  }

  /// The archive that it is, unpacked; nil for another file.
  func unpacked(_ images: ImageService, named name: String) throws -> UnpackedArchive? {
    var head = [UInt8](repeating: 0, count: UnpackedArchive.headSize)
    let count = pread(file.rawValue, &head, head.count, 0)
    guard count > 0, UnpackedArchive.isMeant(Array(head[..<count])) else { return nil }
    try check("read", "what was fetched") { lseek(file.rawValue, 0, SEEK_SET) == 0 ? 0 : -1 }
    do throws(ImageError) {
      return try images.unpack(file.fileDescriptor, named: name)
    } catch {
      throw BuildFailure(nil, error.problem, remedy: error.remedy)
    }
  }

  /// Writes it below a writer's destination.
  func write(with writer: inout CopyWriter, as name: [UInt8]) throws {
    try check("read", "what was fetched") { lseek(file.rawValue, 0, SEEK_SET) == 0 ? 0 : -1 }
    try writer.write(file.fileDescriptor, as: name, mode: 0o600, time: modified)
  }
}
