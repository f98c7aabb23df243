import FoundationEssentials
import ImageReference
import Kernel
import Vocabulary

/// The digests that a file's images are held to: `shop.lock` beside `shop.stack`.
package struct ImageLock: Sendable, Hashable {
  let path: String
  /// By whole names: `docker.io/library/nginx:alpine`.
  var digests: [String: ContentDigest]

  private struct File: Codable {
    var version = 1
    var images: [String: ContentDigest]
  }

  /// `shop.stack` is held by `shop.lock`.
  static func path(beside file: String) -> String {
    let name = file.split(separator: "/").last ?? ""
    let stem = name.lastIndex(of: ".").map { $0 > name.startIndex ? name[..<$0] : name } ?? name
    return "\(file.dropLast(name.count))\(stem).lock"
  }

  /// An empty one.
  init(beside file: String) { (path, digests) = (Self.path(beside: file), [:]) }

  /// - Returns: nil where there is none.
  static func read(beside file: String) throws(StackErrors) -> ImageLock? {
    var lock = ImageLock(beside: file)
    let path = lock.path
    guard let bytes = try rethrowing(nil, { () throws(KernelError) in try Files.read(path, limit: 1 << 20) }) else {
      return nil
    }
    guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)), file.version == 1 else {
      throw StackErrors([
        StackError(nil, "\(path) cannot be read as a lock of images", remedy: "write it anew: stack pull --lock")
      ])
    }
    lock.digests = file.images
    return lock
  }

  func write() throws(StackErrors) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    let text = (try? encoder.encode(File(images: digests))).map { Array($0) } ?? []
    try rethrowing(nil) { () throws(KernelError) in
      try Files.replace(path, with: text + [0x0A], mode: [.ownerReadWrite, .groupRead, .otherRead])
    }
  }

  /// The name that a registry's image is locked by. Nil for one with a digest of its own, and for those of folders and archives.
  static func name(of source: ImageSource) -> String? {
    guard case .registry(let reference) = source, reference.digest == nil else { return nil }
    return reference.canonical
  }

  /// The file's name alone, for messages.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}
