import Glibc
import Kernel

/// Changes below the root of a running service. No link leads out of it.
public enum TreeRemoval {
  /// Removes a file, or a folder with all that is in it. One that is not there is removed.
  public static func remove(
    _ path: String, in root: borrowing Descriptor, of service: String
  ) throws(KernelError) {
    let place: TreeCopy.Place
    do {
      place = try TreeCopy.Place(path, in: root, of: service)
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
      return
    }
    do {
      try Files.remove(place.name, in: place.folder, place.path)
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw error }
    }
  }

  /// Makes the folders above a path that are not there yet.
  public static func makeFolders(
    above path: String, in root: borrowing Descriptor, owner: (user: UInt32, group: UInt32)
  ) throws(KernelError) {
    var above = ""
    for part in path.split(separator: "/").dropLast() {
      let parent = try Descriptor.open(above.isEmpty ? "/" : above, in: root.rawValue, OpenFlag.path | O_DIRECTORY)
      above += "/\(part)"
      guard mkdirat(parent.rawValue, String(part), 0o755) == 0 else {
        guard errno == EEXIST else { throw KernelError("make", above, errno: .last) }
        continue
      }
      _ = fchownat(parent.rawValue, String(part), owner.user, owner.group, AT_SYMLINK_NOFOLLOW)
    }
  }
}
