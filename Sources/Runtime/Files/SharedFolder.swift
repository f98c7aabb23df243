import Glibc
public import Kernel

/// A folder of the host that a service can write to. Below it, a path may have become a link since somebody wrote it down.
public struct SharedFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// Opens what lies at a path below the folder, without following any link there.
  ///
  /// - Parameters:
  ///   - below: relative to the folder, without `..`.
  ///   - creates: makes missing folders, with mode 0755.
  /// - Returns: a descriptor of open(2) with O_PATH.
  /// - Throws: ELOOP for a link, ENOTDIR for one in place of a folder.
  public func open(_ below: String, creates: Bool) throws(KernelError) -> Descriptor {
    var place = try Descriptor.open(path, OpenFlag.path | O_DIRECTORY)
    let parts = below.split(separator: "/").map(String.init)
    for (number, part) in parts.enumerated() {
      let isLast = number == parts.count - 1
      let shown = ([path] + parts.prefix(number + 1)).joined(separator: "/")
      let isNew = creates && mkdirat(place.rawValue, part, 0o755) == 0
      place = try Self.step(into: part, of: place, shown, isLast: isLast)
      if isNew { try Self.openToAll(place, shown) }
    }
    return place
  }

  /// The umask of the caller has had its say. By the descriptor: a service can put a link in the folder's place meanwhile.
  private static func openToAll(_ folder: borrowing Descriptor, _ shown: String) throws(KernelError) {
    let opened = try check("make folder", shown) {
      openat(folder.rawValue, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    let number = Descriptor(adopting: opened)
    try check("make folder", shown) { fchmod(number.rawValue, 0o755) }
  }

  private static func step(
    into part: String, of folder: borrowing Descriptor, _ shown: String, isLast: Bool
  ) throws(KernelError) -> Descriptor {
    var status = stat()
    do throws(KernelError) {
      let kind = isLast ? 0 : O_DIRECTORY
      let number = try check("use", shown) {
        openat(folder.rawValue, part, OpenFlag.path | O_NOFOLLOW | O_CLOEXEC | kind)
      }
      let found = Descriptor(adopting: number)
      try check("look at", shown) { fstat(found.rawValue, &status) }
      guard status.st_mode & S_IFMT != S_IFLNK else {
        throw KernelError("use", shown, errno: .tooManySymbolicLinkLevels)
      }
      return found
    } catch {
      guard fstatat(folder.rawValue, part, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFLNK else {
        throw error
      }
      var error = error
      error.detail = "it is a link, and a service can write to the folder that it lies in"
      error.remedy = "name the folder that is meant in the stack file, or put a folder in place of the link"
      throw error
    }
  }
}
