import CImages
import Digests
import Glibc
import ImageReference
import Kernel
import SystemPackage

/// A layer as it comes: decompressed, and hashed before and after.
final class LayerStream {
  private let input: CInt
  private var blobHash: ContentHash
  private var contentHash: ContentHash
  private var decoder: OpaquePointer?
  private var compressed: UnsafeMutableRawBufferPointer
  private var plain: UnsafeMutableRawBufferPointer
  /// The bytes that were handed out last, which are still being hashed.
  private var former: UnsafeMutableRawBufferPointer
  private var pending = 0..<0
  private var hasEnded = false
  private(set) var blobSize: Int64 = 0
  private(set) var contentSize: Int64 = 0
  /// The reason that it cannot be read; libarchive knows no more than that something did.
  private(set) var failure: LayerError?

  private static let capacity = 1 << 18

  init(
    _ input: CInt, blob: ContentDigest.Algorithm, content: ContentDigest.Algorithm
  ) throws(LibraryError) {
    blobHash = try ContentHash(blob)
    contentHash = try ContentHash(content, isBeside: true)
    self.input = input
    compressed = .allocate(byteCount: Self.capacity, alignment: 16)
    plain = .allocate(byteCount: Self.capacity, alignment: 16)
    former = .allocate(byteCount: Self.capacity, alignment: 16)
  }

  deinit {
    images_decoder_free(decoder)
    contentHash.wait()
    for buffer in [compressed, plain, former] { buffer.deallocate() }
  }

  /// The next bytes of the archive, valid until the next call; none at the end. Nil on failure.
  func next() -> UnsafeRawBufferPointer? {
    do throws(LayerError) {
      while true {
        if pending.isEmpty, !hasEnded { try fill() }
        let decoder = try begun()
        if pending.isEmpty, hasEnded, images_decoder_is_complete(decoder) == 1 {
          return UnsafeRawBufferPointer(rebasing: plain[..<0])
        }
        let given = try decode(decoder)
        if given > 0 {
          let bytes = UnsafeRawBufferPointer(rebasing: plain[..<given])
          contentHash.add(bytes)
          contentSize += Int64(given)
          swap(&plain, &former)
          return bytes
        }
        if pending.isEmpty, hasEnded, images_decoder_is_complete(decoder) == 0 {
          throw LayerError("it ends in the middle of its compressed data")
        }
      }
    } catch {
      failure = failure ?? error
      return nil
    }
  }

  /// Reads what follows the archive's end: it counts for the digests.
  func drain() throws(LayerError) {
    while true {
      guard let bytes = next() else { throw failure ?? LayerError("it cannot be read") }
      if bytes.isEmpty { return }
    }
  }

  /// The digests of the blob and of the archive in it, once all was read.
  func digests() throws(LibraryError) -> (blob: ContentDigest, content: ContentDigest) {
    var blob = try ContentHash()
    var content = try ContentHash()
    swap(&blob, &blobHash)
    swap(&content, &contentHash)
    return (try blob.digest(), try content.digest())
  }

  private func begun() throws(LayerError) -> OpaquePointer {
    if let decoder { return decoder }
    let kind = images_compression_of(
      compressed.baseAddress?.advanced(by: pending.lowerBound).assumingMemoryBound(to: UInt8.self), pending.count)
    guard let made = images_decoder_make(kind) else { throw LayerError("there is no memory to decompress it") }
    decoder = made
    return made
  }

  private func decode(_ decoder: OpaquePointer) throws(LayerError) -> Int {
    var (taken, given) = (0, 0)
    let source = compressed.baseAddress?.advanced(by: pending.lowerBound).assumingMemoryBound(to: UInt8.self)
    let target = plain.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard images_decode(decoder, source, pending.count, &taken, target, plain.count, &given) == 0 else {
      throw LayerError("it cannot be decompressed: \(String(cString: images_decoder_reason(decoder)))")
    }
    pending = (pending.lowerBound + taken)..<pending.upperBound
    return given
  }

  private func fill() throws(LayerError) {
    // The first bytes say what the rest is: enough of them at once.
    var count = 0
    repeat {
      let room = UnsafeMutableRawBufferPointer(rebasing: compressed[count...])
      let read = Glibc.read(input, room.baseAddress, room.count)
      if read < 0 {
        if Errno.last == .interrupted { continue }
        throw LayerError(KernelError("read", "the layer", errno: .last))
      }
      if read == 0 {
        hasEnded = true
        break
      }
      count += read
    } while decoder == nil && count < 4
    blobHash.add(UnsafeRawBufferPointer(rebasing: compressed[..<count]))
    blobSize += Int64(count)
    pending = 0..<count
  }
}
