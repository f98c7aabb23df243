import CImages
import Digests
import Glibc

/// The entries of a tar archive, by libarchive, with names as bytes.
final class TarReader {
  private let stream: LayerStream
  private var tar: OpaquePointer?

  struct Entry {
    var kind: images_tar_kind
    var name: [UInt8]
    var target: [UInt8]
    var header: images_tar_entry
  }

  init(_ stream: LayerStream) throws(LayerError) {
    self.stream = stream
    // The stream outlives the reader, which holds it.
    let context = Unmanaged.passUnretained(stream).toOpaque()
    tar = images_tar_open(
      { context, bytes in
        guard let context, let bytes else { return -1 }
        guard let next = Unmanaged<LayerStream>.fromOpaque(context).takeUnretainedValue().next() else { return -1 }
        bytes.pointee = next.baseAddress
        return next.count
      }, context)
    guard tar != nil else { throw failure }
  }

  deinit { images_tar_free(tar) }

  /// Nil at the end.
  func next() throws(LayerError) -> Entry? {
    var header = images_tar_entry()
    switch images_tar_next(tar, &header) {
    case 0: return nil
    case 1:
      return Entry(
        kind: header.kind, name: Self.bytes(header.path), target: Self.bytes(header.target), header: header)
    default: throw failure
    }
  }

  /// The extended attributes of the entry that was read last.
  func attributes() -> [(name: String, value: [UInt8])] {
    var attributes: [(name: String, value: [UInt8])] = []
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while images_tar_attribute(tar, &name, &value, &size) == 1 {
      guard let name else { continue }
      let bytes = value.map { Array(UnsafeRawBufferPointer(start: $0, count: size)) } ?? []
      attributes.append((String(cString: name), bytes))
    }
    return attributes
  }

  /// Hands over the bytes of the entry that was read last, each piece with its offset; between pieces are holes.
  func data(_ take: (UnsafeRawBufferPointer, Int64) throws(LayerError) -> Void) throws(LayerError) {
    var bytes: UnsafeRawPointer?
    var (count, offset) = (0, Int64(0))
    while true {
      switch images_tar_data(tar, &bytes, &count, &offset) {
      case 0: return
      case 1: try take(UnsafeRawBufferPointer(start: bytes, count: count), offset)
      default: throw failure
      }
    }
  }

  private var failure: LayerError {
    stream.failure ?? LayerError("it is no proper archive: \(tar.map { String(cString: images_tar_reason($0)) } ?? "")")
  }

  private static func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
    guard let text else { return [] }
    return UnsafeBufferPointer(start: text, count: strlen(text)).map(UInt8.init(bitPattern:))
  }
}
