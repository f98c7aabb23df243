import Glibc
import ImageStore
import Kernel
import Layer
import SystemPackage

/// A tar archive that was unpacked into a folder of the store, which goes with this value.
package final class UnpackedArchive {
  /// The folder with what is in it.
  package let folder: String
  private let passing: String

  fileprivate init(_ passing: String) { (self.passing, folder) = (passing, "\(passing)/fs") }

  deinit { try? Files.remove(passing) }

  /// True for a file that begins as a tar archive does, or as one that is compressed by gzip, bzip2, xz or zstd.
  package static func isMeant(_ first: [UInt8]) -> Bool {
    let compressed: [[UInt8]] = [
      [0x1F, 0x8B, 0x08], Array("BZh".utf8), [0xFD] + Array("7zXZ".utf8) + [0], [0x28, 0xB5, 0x2F, 0xFD],
    ]
    return compressed.contains { first.starts(with: $0) }
      || first.count >= 262 && first[257..<262].elementsEqual("ustar".utf8)
  }

  /// The number of bytes that ``isMeant(_:)`` looks at.
  package static let headSize = 512
}

extension ImageService {
  /// Unpacks an archive, in a process that is shut in.
  ///
  /// - Parameters:
  ///   - file: stands at its beginning.
  ///   - name: for messages.
  /// - Returns: nil for a file that has no entries of tar: something else that is compressed.
  package func unpack(_ file: FileDescriptor, named name: String) throws(ImageError) -> UnpackedArchive? {
    let passing = store.passingFolder("build")
    let archive = UnpackedArchive(passing)
    let unpacking = try imaging(name) { () throws(KernelError) in
      try Files.makeFolder(passing)
      try Files.makeFolder(archive.folder)
      return try Unpacking(
        launcher,
        UnpackerMessage.Order(
          folder: archive.folder, blobAlgorithm: "sha256", contentAlgorithm: "sha256", cage: store.ingestFolder))
    }
    let failure = withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Errno? in
      while true {
        let count = read(file.rawValue, buffer.baseAddress, buffer.count)
        if count < 0, Errno.last == .interrupted { continue }
        if count < 0 { return .last }
        guard count > 0, unpacking.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return nil }
      }
    }
    if let failure { throw ImageError(name, KernelError("read", name, errno: failure)) }
    unpacking.closeInput()
    do throws(LayerError) {
      guard try unpacking.outcome().entries > 0 else { return nil }
      // Attributes of folders are set when it is settled.
      try unpacking.settle(on: [])
      return archive
    } catch {
      if Files.list(archive.folder).isEmpty, !error.isOutOfSpace { return nil }
      throw ImageError(name, "the archive cannot be unpacked: \(error)", remedy: error.remedy)
    }
  }
}
