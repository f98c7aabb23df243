import CImages
import Glibc
import ImageReference
import ImageStore
import Kernel
import SystemPackage

/// The file in which the bytes of a blob are collected. It outlives a pull that breaks off.
final class LayerPart {
  let path: String
  private let file: Descriptor
  private let image: String
  private let isStored: Bool
  private(set) var size: Int64 = 0
  /// The number of its bytes that the disk has been told of.
  private var told: Int64 = 0
  private static let writtenAtOnce: Int64 = 8 << 20
  /// The failure that kept a byte from being written.
  private(set) var failure: KernelError?

  /// - Parameter resumes: whether what an earlier pull left is used.
  init(_ store: ImageStore, _ digest: ContentDigest, image: String, resumes: Bool) throws(ImageError) {
    self.image = image
    let opened = try imaging(image) { () throws(KernelError) in try Self.open(store, digest) }
    (path, isStored) = (opened.path, opened.isStored)
    file = opened.release()
    if !resumes, !isStored { _ = restart() }
    var status = stat()
    if fstat(file.rawValue, &status) == 0 { size = Int64(status.st_size) }
  }

  /// A blob that is in the store is read from there, as if it had been fetched.
  private static func open(_ store: ImageStore, _ digest: ContentDigest) throws(KernelError) -> PartFile {
    let present = store.blob(digest)
    if Files.exists(present) {
      let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW
      return PartFile(
        file: Descriptor(adopting: try check("open", present) { Glibc.open(present, flags) }), path: present,
        isStored: true)
    }
    let named = store.part(digest)
    let shared = Descriptor(adopting: try check("open", named) { Glibc.open(named, flags, 0o600) })
    if flock(shared.rawValue, LOCK_EX | LOCK_NB) == 0 { return PartFile(file: shared, path: named, isStored: false) }
    // Another pull is at it, for a layer that lies on others.
    let own = "\(named.dropLast(5)).\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
    return PartFile(
      file: Descriptor(adopting: try check("open", own) { Glibc.open(own, flags, 0o600) }), path: own, isStored: false)
  }

  private static let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW

  /// Hands over what is there already; `take` answers whether to go on.
  func replay(_ take: (UnsafeRawBufferPointer) -> Bool) throws(ImageError) {
    var offset: off_t = 0
    try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { (buffer) throws(ImageError) in
      while offset < off_t(size) {
        let count = pread(file.rawValue, buffer.baseAddress, buffer.count, offset)
        if count < 0, Errno.last == .interrupted { continue }
        guard count > 0 else { throw ImageError(image, KernelError("read", path, errno: .last)) }
        offset += off_t(count)
        guard take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
      }
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(size))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        failure = KernelError("write", path, errno: .last)
        return false
      }
      size += Int64(count)
      if size - told >= Self.writtenAtOnce {
        told = size
        images_begin_writing(file.rawValue)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return true
  }

  /// Begins anew.
  func restart() -> Bool {
    (size, told) = (0, 0)
    return ftruncate(file.rawValue, 0) == 0
  }

  /// Takes away what nobody should go on with.
  func discard() {
    if !isStored { unlink(path) }
  }
}

private struct PartFile: ~Copyable {
  let file: Descriptor
  let path: String
  let isStored: Bool

  consuming func release() -> Descriptor { file }
}
