import CImages
import ImageReference

/// The hash of bytes as they come (SHA-2, of libcrypto).
package struct ContentHash: ~Copyable {
  private let state: OpaquePointer
  private let algorithm: ContentDigest.Algorithm

  /// - Parameter isBeside: true to hash on a thread of its own. Bytes that are added then stay as they are until the next are.
  /// - Throws: that libcrypto is not there.
  package init(_ algorithm: ContentDigest.Algorithm = .sha256, isBeside: Bool = false) throws(LibraryError) {
    try LibraryError.check(images_load_digests)
    guard let state = images_digest_make(algorithm == .sha256 ? "SHA256" : "SHA512") else {
      throw LibraryError(reason: "libcrypto has no \(algorithm.rawValue)")
    }
    if isBeside { images_digest_begin_thread(state) }
    (self.state, self.algorithm) = (state, algorithm)
  }

  deinit { images_digest_free(state) }

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    if let start = bytes.baseAddress, !bytes.isEmpty { images_digest_update(state, start, bytes.count) }
  }

  /// Returns when all that was added is hashed, and its bytes are free.
  package func wait() { images_digest_wait(state) }

  package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  /// The hash itself.
  ///
  /// - Throws: what libcrypto refused.
  package consuming func rawBytes() throws(LibraryError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = Int(images_digest_finish(state, &bytes))
    guard count > 0 else { throw LibraryError(reason: "libcrypto cannot hash") }
    return Array(bytes.prefix(count))
  }

  /// - Throws: what libcrypto refused.
  package consuming func digest() throws(LibraryError) -> ContentDigest {
    let algorithm = algorithm
    guard let digest = ContentDigest(algorithm, bytes: try rawBytes()) else {
      throw LibraryError(reason: "libcrypto cannot hash")
    }
    return digest
  }

  package static func digest(
    of bytes: [UInt8], _ algorithm: ContentDigest.Algorithm = .sha256
  ) throws(LibraryError) -> ContentDigest {
    var hash = try ContentHash(algorithm)
    hash.add(bytes)
    return try hash.digest()
  }
}

/// A library that images need and that is not there.
package struct LibraryError: Error, Hashable, Sendable, CustomStringConvertible {
  let reason: String

  package init(reason: String) { self.reason = reason }

  package var description: String { "cannot use a library: \(reason)" }
  package static let remedy =
    "install the libraries that images need: apt-get install libcurl4 libarchive13 libzstd1 zlib1g libssl3"

  /// Loads libraries by one of CImages' functions.
  package static func check(
    _ load: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> CInt
  ) throws(LibraryError) {
    var reason: UnsafePointer<CChar>?
    guard load(&reason) != 0 else { return }
    throw LibraryError(reason: reason.map { String(cString: $0) } ?? "unknown")
  }
}
