import CImages
import Glibc
import Kernel
import SystemPackage

/// The layers below one, from the topmost down, as a mounted image would show them together.
package struct LowerLayers: ~Copyable {
  private let roots: [FileDescriptor]

  /// - Parameter paths: the layers' folders, the topmost first.
  package init(_ paths: [String]) throws(KernelError) {
    var roots: [FileDescriptor] = []
    for path in paths {
      let number = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      guard number >= 0 else {
        let failure = Errno.last
        for root in roots { try? root.close() }
        throw KernelError("open layer", path, errno: failure)
      }
      roots.append(FileDescriptor(rawValue: number))
    }
    self.roots = roots
  }

  deinit {
    for root in roots { try? root.close() }
  }

  /// The entry under a name: the folder that holds it, and its status. Links are not followed, as nothing of a layer
  /// follows those of lower ones.
  struct Found: ~Copyable {
    let folder: Descriptor
    let name: [CChar]
    let status: stat
  }

  func find(_ name: EntryName) throws(KernelError) -> Found? {
    guard let last = name.parts.last else { return nil }
    for root in roots {
      var folder = try Self.open([0x2E, 0], in: root.rawValue)
      var (isMissing, hidesLower) = (false, false)
      for part in name.parts.dropLast() {
        let path = EntryName.cString(part)
        guard let status = Self.status(path, in: folder.rawValue) else {
          isMissing = true
          break
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return nil }
        folder = try Self.open(path, in: folder.rawValue)
        hidesLower = hidesLower || Self.isOpaque(folder)
      }
      let path = EntryName.cString(last)
      if !isMissing, let status = Self.status(path, in: folder.rawValue) {
        return status.isWhiteout ? nil : Found(folder: folder, name: path, status: status)
      }
      if hidesLower { return nil }
    }
    return nil
  }

  func contains(_ name: EntryName) throws(KernelError) -> Bool {
    if case .some = try find(name) { true } else { false }
  }

  /// The contents of a regular file, as a mounted image would show it. Nil for anything else.
  ///
  /// - Parameters:
  ///   - path: from the root, such as `etc/passwd`.
  ///   - limit: bytes, beyond which the file is refused with EFBIG.
  package func read(_ path: String, limit: Int) throws(KernelError) -> [UInt8]? {
    guard let name = try? EntryName(Array(path.utf8)), case .some(let found) = try find(name),
      found.status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    let file = Descriptor(
      adopting: try check("open", path) {
        openat(found.folder.rawValue, found.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      })
    do {
      return try FileDescriptor(rawValue: file.rawValue).readAll(limit: limit)
    } catch {
      throw KernelError("read", path, errno: error)
    }
  }

  private static func open(_ path: [CChar], in folder: CInt) throws(KernelError) -> Descriptor {
    Descriptor(
      adopting: try check("open", "a folder of a lower layer") {
        openat(folder, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
  }

  private static func status(_ path: [CChar], in folder: CInt) -> stat? {
    var status = stat()
    return fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }

  private static func isOpaque(_ folder: borrowing Descriptor) -> Bool {
    var value: UInt8 = 0
    return images_attribute(folder.rawValue, LayerTree.opaque, &value, 1) == 1 && value == UInt8(ascii: "y")
  }
}

extension stat {
  /// True for an entry that overlayfs takes for a name that is gone (overlayfs.rst).
  var isWhiteout: Bool { st_mode & S_IFMT == S_IFCHR && st_rdev == 0 }
  var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}
