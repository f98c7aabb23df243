import CLinux
import Glibc
import SystemPackage

extension Files {
  /// The depth to which a tree is walked, with a descriptor and a longer path for each level. Services may make trees
  /// as deep as they like. Deeper folders are moved up to this level, and so removed with no more of either.
  private static let deepest = 64

  /// Removes a file or a folder with all that is in it, without following links or going into what is mounted there.
  package static func remove(_ path: String) throws(KernelError) {
    try remove([CChar](path.utf8CString), in: AT_FDCWD, path, depth: 0)
  }

  /// The same of a name in an open folder.
  package static func remove(_ name: [CChar], in folder: borrowing Descriptor, _ path: String) throws(KernelError) {
    try remove(name, in: folder.rawValue, path, depth: 0)
  }

  private static func remove(_ name: [CChar], in folder: CInt, _ path: String, depth: Int) throws(KernelError) {
    if case .some(let opened) = try enter(name, in: folder, path) {
      if depth < deepest {
        for entry in try list(opened, path) {
          try remove(entry.name, in: opened.rawValue, "\(path)/\(entry.text)", depth: depth + 1)
        }
      } else {
        try flatten(opened, path)
      }
      try unlink(name, in: folder, path, flags: AT_REMOVEDIR)
    } else {
      try unlink(name, in: folder, path, flags: 0)
    }
  }

  /// Empties a folder, and goes into none but those that are directly in it: what folders these hold is moved beside them
  /// first.
  private static func flatten(_ folder: borrowing Descriptor, _ path: String) throws(KernelError) {
    var names = try list(folder, path).map(\.name)
    var number = 0
    while !names.isEmpty {
      var raised: [[CChar]] = []
      for name in names {
        guard case .some(let opened) = try enter(name, in: folder.rawValue, path) else {
          try unlink(name, in: folder.rawValue, path, flags: 0)
          continue
        }
        for entry in try list(opened, path) {
          let place = "\(path)/…/\(entry.text)"
          if case .none = try enter(entry.name, in: opened.rawValue, place) {
            try unlink(entry.name, in: opened.rawValue, place, flags: 0)
          } else {
            raised.append(try move(entry.name, from: opened, to: folder, number: &number, place))
          }
        }
        try unlink(name, in: folder.rawValue, path, flags: AT_REMOVEDIR)
      }
      names = raised
    }
  }

  /// Moves a folder to another under a name that is not in use there, and answers that.
  private static func move(
    _ name: [CChar], from folder: borrowing Descriptor, to target: borrowing Descriptor, number: inout Int,
    _ path: String
  ) throws(KernelError) -> [CChar] {
    while true {
      number += 1
      let new = Array(".\(number)".utf8CString)
      if renameat(folder.rawValue, name, target.rawValue, new) == 0 { return new }
      guard [.directoryNotEmpty, .fileExists, .notDirectory].contains(Errno.last) else {
        throw KernelError("remove", path, errno: .last)
      }
    }
  }

  /// Opens what has a name if it is a folder; `nil` for all else, also when it is gone.
  private static func enter(_ name: [CChar], in folder: CInt, _ path: String) throws(KernelError) -> Descriptor? {
    var status = stat()
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return nil
    }
    guard stack_is_mount_point(folder, name) != 1 else {
      throw KernelError(
        "remove", path, errno: .resourceBusy, remedy: "something is mounted there: unmount it and try again")
    }
    let number = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw KernelError("remove", path, errno: .last) }
    return Descriptor(adopting: number)
  }

  private static func list(_ folder: borrowing Descriptor, _ path: String) throws(KernelError) -> [FolderEntry] {
    do {
      return try FolderEntry.all(in: folder.fileDescriptor)
    } catch {
      // Somebody else has removed it meanwhile.
      guard error != .noSuchFileOrDirectory else { return [] }
      throw KernelError("remove", path, errno: error)
    }
  }

  private static func unlink(_ name: [CChar], in folder: CInt, _ path: String, flags: CInt) throws(KernelError) {
    guard unlinkat(folder, name, flags) == 0 || errno == ENOENT else { throw KernelError("remove", path, errno: .last) }
  }
}
