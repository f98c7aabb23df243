import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import SystemPackage

/// Writes images as one tar that is an OCI layout and what `docker save` writes at once: docker, podman, skopeo and ctr load it.
/// The same images make the same bytes.
struct ImageExport {
  let store: ImageStore

  struct Image {
    var record: ImageRecord
    /// Whole names: `docker.io/library/nginx:alpine`.
    var names: [ImageReference]
  }

  func write(_ images: [Image], to file: FileDescriptor, image: String) throws(ImageError) {
    let tar = TarWriter(file, image: image)
    try tar.file("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
    var written: Set<ContentDigest> = []
    for image in images {
      for digest in [image.record.manifest, image.record.configuration] + image.record.layers.map(\.blob)
      where written.insert(digest).inserted {
        try tar.file(Self.path(digest), from: store.blob(digest))
      }
    }
    try tar.file("index.json", try index(images))
    try tar.file("manifest.json", json(images.map(Saved.init)))
    try tar.end()
  }

  static func path(_ digest: ContentDigest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

  private struct Saved: Encodable {
    var config: String
    var tags: [String]
    var layers: [String]

    init(_ image: Image) {
      config = ImageExport.path(image.record.configuration)
      tags = image.names.map(\.familiar)
      layers = image.record.layers.map { ImageExport.path($0.blob) }
    }

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case tags = "RepoTags"
      case layers = "Layers"
    }
  }

  private struct Index: Encodable {
    var schemaVersion = 2
    var mediaType = MediaType.index
    var manifests: [BlobDescriptor]
  }

  /// A name is an annotation, so an image with two names is in the list twice.
  private func index(_ images: [Image]) throws(ImageError) -> [UInt8] {
    var manifests: [BlobDescriptor] = []
    for image in images {
      let place = store.blob(image.record.manifest)
      let bytes = try imaging("\(image.record.configuration)") { () throws(KernelError) in
        try store.readBlob(image.record.manifest)
      }
      guard let bytes, let document = try? ManifestDocument(bytes, type: nil), case .image(let manifest) = document
      else {
        throw ImageError("\(image.record.configuration)", "\(place) is damaged", remedy: "pull the image again")
      }
      var blob = BlobDescriptor(
        mediaType: manifest.mediaType ?? MediaType.manifest, digest: image.record.manifest, size: Int64(bytes.count))
      guard !image.names.isEmpty else {
        manifests.append(blob)
        continue
      }
      for name in image.names {
        blob.annotations = [
          "io.containerd.image.name": name.canonical, "org.opencontainers.image.ref.name": name.tag ?? name.canonical,
        ]
        manifests.append(blob)
      }
    }
    return json(Index(manifests: manifests))
  }

  private func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(value)).map { Array($0) } ?? []
  }
}

/// Regular files as ustar (POSIX.1-1988), of root's and from 1970.
private final class TarWriter {
  private let file: FileDescriptor
  private let image: String
  private var folders: Set<String> = []

  init(_ file: FileDescriptor, image: String) { (self.file, self.image) = (file, image) }

  func file(_ name: String, _ bytes: [UInt8]) throws(ImageError) {
    try begin(name, size: Int64(bytes.count))
    try write(bytes)
    try pad(Int64(bytes.count))
  }

  func file(_ name: String, from path: String) throws(ImageError) {
    let source = try imaging(image) { () throws(KernelError) in
      Descriptor(adopting: try check("open", path) { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) })
    }
    var status = stat()
    guard fstat(source.rawValue, &status) == 0 else {
      throw ImageError(image, KernelError("look at", path, errno: .last))
    }
    let size = Int64(status.st_size)
    try begin(name, size: size)
    var rest = size
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while rest > 0 {
      let wanted = Int(min(rest, Int64(chunk.count)))
      let count = chunk.withUnsafeMutableBytes { Glibc.read(source.rawValue, $0.baseAddress, wanted) }
      if count < 0, Errno.last == .interrupted { continue }
      guard count > 0 else { throw ImageError(image, KernelError("read", path, errno: count == 0 ? .ioError : .last)) }
      try write(Array(chunk[..<count]))
      rest -= Int64(count)
    }
    try pad(size)
  }

  func end() throws(ImageError) { try write([UInt8](repeating: 0, count: 1024)) }

  private func begin(_ name: String, size: Int64) throws(ImageError) {
    var path = ""
    for part in name.split(separator: "/").dropLast() {
      path += "\(part)/"
      if folders.insert(path).inserted { try write(Self.header(path, size: 0, kind: "5", mode: 0o755)) }
    }
    try write(Self.header(name, size: size, kind: "0", mode: 0o644))
  }

  private func pad(_ size: Int64) throws(ImageError) {
    let rest = Int(size % 512)
    if rest > 0 { try write([UInt8](repeating: 0, count: 512 - rest)) }
  }

  private static func header(_ name: String, size: Int64, kind: Character, mode: Int) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) {
      for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
    }
    func octal(_ number: Int64, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(digits - text.count, 0)) + text
    }
    put(name, at: 0)
    put(octal(Int64(mode), 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    if size < 1 << 33 {
      put(octal(size, 11), at: 124)
    } else {
      // Base 256, for what eleven octal digits do not hold.
      header[124] = 0x80
      for place in 0..<8 { header[135 - place] = UInt8(truncatingIfNeeded: size >> (8 * Int64(place))) }
    }
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put(String(kind), at: 156)
    put("ustar\u{0}00", at: 257)
    put("root", at: 265)
    put("root", at: 297)
    put(octal(header.reduce(0) { $0 + Int64($1) }, 6) + "\u{0}", at: 148)
    return header
  }

  private func write(_ bytes: [UInt8]) throws(ImageError) {
    do {
      try file.writeInFull(bytes)
    } catch {
      throw ImageError(image, KernelError("write", "the archive", errno: error))
    }
  }
}
