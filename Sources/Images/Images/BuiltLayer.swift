import Digests
import Glibc
import ImageReference
import ImageStore
import Kernel
import Layer
import SystemPackage

/// A layer that a step of a build has made: a folder. Its archive is hashed, and written only when somebody wants it.
package struct BuiltLayer {
  private let store: ImageStore

  package init(_ store: ImageStore) { self.store = store }

  /// The digest of the archive that a folder makes, and what is in it.
  package func measure(_ folder: String) throws(LayerError) -> (content: ContentDigest, contents: LayerContents) {
    let hashing = try loading { () throws(LibraryError) in try HashingOutput() }
    var writer = LayerWriter(firstID: nil) { (bytes) throws(KernelError) in hashing.add(bytes) }
    try writer.write(folder)
    let content = try loading { () throws(LibraryError) in try hashing.digest() }
    return (content, writer.contents)
  }

  /// False for one that a power cut has left without some of its bytes: it is known by the digest of what it has.
  package func isWhole(_ layer: ImageRecord.Layer) -> Bool {
    guard let number = store.number(of: layer.chain) else { return false }
    guard store.mayBeCutOff(number) else { return true }
    guard let measured = try? measure(store.layer(number)), measured.content == layer.content else { return false }
    store.trust(number)
    return true
  }

  /// Has the archive of a built layer as a blob, for those who save, push or copy it. Other layers have theirs.
  ///
  /// - Throws: also that the folder no longer makes the archive that the image names.
  package func writeBlob(of layer: ImageRecord.Layer) throws(LayerError) {
    guard !store.hasBlob(layer.blob), let number = store.number(of: layer.chain),
      store.record(of: number)?.isBuilt == true
    else { return }
    let folder = store.layer(number)
    let (content, _) = try measure(folder)
    guard content == layer.content else {
      throw LayerError(
        "\(folder) was changed: it has the digest \(content), and not \(layer.content)", remedy: "build the image again"
      )
    }
    let part = "\(store.ingestFolder)/\(layer.blob.hex).\(getpid()).part"
    defer { unlink(part) }
    let file = try kernel { () throws(KernelError) in
      Descriptor(
        adopting: try check("make", part) {
          open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        })
    }
    var writer = LayerWriter(file.fileDescriptor, firstID: nil)
    try writer.write(folder)
    try kernel { () throws(KernelError) in
      try check("write to disk", part) { fsync(file.rawValue) }
      try store.commit(part: part, as: layer.blob)
    }
  }

  private func kernel<Value: ~Copyable>(_ body: () throws(KernelError) -> Value) throws(LayerError) -> Value {
    do {
      return try body()
    } catch {
      throw LayerError(error)
    }
  }

  private func loading<Value: ~Copyable>(_ body: () throws(LibraryError) -> Value) throws(LayerError) -> Value {
    do {
      return try body()
    } catch {
      throw LayerError("\(error)", remedy: LibraryError.remedy)
    }
  }
}

/// Hashes an archive while it is written, on a thread of its own: its bytes are copied to one of two buffers.
private final class HashingOutput {
  private var hash: ContentHash?
  private let buffers: (UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer)
  private var usesSecond = false
  private var count = 0
  private static let capacity = 1 << 20

  init() throws(LibraryError) {
    hash = try ContentHash(isBeside: true)
    func buffer() -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer.allocate(byteCount: Self.capacity, alignment: 64)
    }
    buffers = (buffer(), buffer())
  }

  deinit {
    // The thread may still be at one of them.
    hash?.wait()
    hash = nil
    buffers.0.deallocate()
    buffers.1.deallocate()
  }

  private var current: UnsafeMutableRawBufferPointer { usesSecond ? buffers.1 : buffers.0 }

  func add(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let piece = min(rest.count, Self.capacity - count)
      let target = UnsafeMutableRawBufferPointer(rebasing: current[count..<count + piece])
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<piece]))
      count += piece
      rest = UnsafeRawBufferPointer(rebasing: rest[piece...])
      if count == Self.capacity { pass() }
    }
  }

  private func pass() {
    hash?.add(UnsafeRawBufferPointer(rebasing: current[..<count]))
    (usesSecond, count) = (!usesSecond, 0)
  }

  func digest() throws(LibraryError) -> ContentDigest {
    pass()
    hash?.wait()
    guard let taken = hash.take() else { throw LibraryError(reason: "the layer is hashed already") }
    return try taken.digest()
  }
}
