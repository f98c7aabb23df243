import CLinux
import Glibc
import Kernel
import SystemPackage

/// Folders that a copy makes where the root has nothing. They are filled beside the step's layer, and not by way of the
/// mounted root: that takes half the time, and the file system may share blocks with what is copied. They get their places
/// in the layer once the root is no longer mounted, since nobody else may change the layers of a mounted overlay
/// (overlayfs in the kernel's documentation).
final class FreshFolders {
  /// Holds the folders.
  private let place: Descriptor
  /// The layer.
  private let layer: Descriptor
  private let path: String
  /// By the path in the root, which has no link.
  private var folders: [[UInt8]: Folder] = [:]

  private struct Folder {
    let number: Int
    let descriptor: FileDescriptor
  }

  /// - Parameter step: the path of the step's folder.
  init(_ step: String) throws(KernelError) {
    path = "\(step)/fresh"
    try Files.makeFolder(path)
    place = try Self.open(path)
    layer = try Self.open("\(step)/fs")
  }

  deinit {
    for folder in folders.values { try? folder.descriptor.close() }
  }

  private static func open(_ path: String) throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
  }

  /// Has a folder that was made empty in the root be filled here.
  ///
  /// - Parameter path: in the root.
  /// - Returns: on loan.
  func add(_ path: [UInt8]) throws(KernelError) -> CInt {
    let number = folders.count
    try check("make folder", self.path) { mkdirat(place.rawValue, "\(number)", 0o700) }
    let opened = try check("open", self.path) {
      openat(place.rawValue, "\(number)", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    folders[path] = Folder(number: number, descriptor: FileDescriptor(rawValue: opened))
    return opened
  }

  /// The folder here in which a path of the root lies, and the rest of the path; nil for one that was there before.
  func find(_ path: [UInt8]) -> (folder: CInt, rest: [UInt8])? {
    if folders.isEmpty { return nil }
    if let whole = folders[path] { return (whole.descriptor.rawValue, []) }
    for end in path.indices.dropFirst() where path[end] == 0x2F {
      if let folder = folders[Array(path[..<end])] {
        return (folder.descriptor.rawValue, Array(path[(end + 1)...]))
      }
    }
    return nil
  }

  /// Moves the folders to their places in the layer. The root is no longer mounted.
  func settle() throws(KernelError) {
    for (path, folder) in folders {
      let shown = String(decoding: path, as: UTF8.self)
      let slash = path.lastIndex(of: 0x2F) ?? path.startIndex
      let parent = try open(Array(path[..<slash]))
      let name = path[(slash + 1)...].map(CChar.init(bitPattern:)) + [0]
      try check("put in its place", shown) { renameat(place.rawValue, "\(folder.number)", parent.rawValue, name) }
    }
    rmdir(path)
  }

  /// A folder of the layer.
  func open(_ path: [UInt8]) throws(KernelError) -> Descriptor {
    let inner = path.drop { $0 == 0x2F }.map(CChar.init(bitPattern:)) + [0]
    return Descriptor(
      adopting: try check("open", String(decoding: path, as: UTF8.self)) {
        stack_openat2(
          layer.rawValue, inner.count > 1 ? inner : [0x2E, 0], UInt64(O_DIRECTORY | O_CLOEXEC), 0, CopyWriter.noLinks)
      })
  }
}
