import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// The user and groups that a process runs as.
struct Credentials: Hashable, Sendable {
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  var groups: [UInt32] = []
  var home = "/root"

  /// Looks `user` up in /etc/passwd and /etc/group below `root`. A plain number need not be there.
  static func resolve(_ user: String?, root: CInt) throws(KernelError) -> Credentials {
    guard let user, !user.isEmpty else { return Credentials() }
    let passwd = try table("/etc/passwd", root: root)
    let group = try table("/etc/group", root: root)
    return try resolve(user, passwd: passwd, group: group)
  }

  static func resolve(_ user: String?, root: FileDescriptor) throws(KernelError) -> Credentials {
    try resolve(user, root: root.rawValue)
  }

  /// `name`, `uid`, `name:group` or `uid:gid`, given the text of the two files (passwd(5), group(5)).
  static func resolve(_ user: String, passwd: String, group: String) throws(KernelError) -> Credentials {
    let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0]
    let accounts = passwd.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    // Digits are an id, also where somebody has them for a name.
    let account = accounts.first { fields in
      fields.count >= 6 && (number(name) == nil ? fields[0] == name : UInt32(fields[2]) == number(name))
    }
    var credentials = Credentials(home: "/")
    if let account, let uid = UInt32(account[2]), let gid = UInt32(account[3]) {
      credentials = Credentials(uid: uid, gid: gid, home: String(account[5]))
    } else if let uid = number(name) {
      credentials.uid = uid
    } else {
      throw KernelError(
        "find user", String(name), errno: .noSuchFileOrDirectory, detail: "not in the container's /etc/passwd",
        remedy: "name a user that the root folder has, or give a number")
    }
    let groups = group.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    if parts.count == 2 {
      let wanted = parts[1]
      if let gid = number(wanted) {
        credentials.gid = gid
      } else if let found = groups.first(where: { $0.count >= 3 && $0[0] == wanted }), let gid = UInt32(found[2]) {
        credentials.gid = gid
      } else {
        throw KernelError(
          "find group", String(wanted), errno: .noSuchFileOrDirectory, detail: "not in the container's /etc/group",
          remedy: "name a group that the root folder has, or give a number")
      }
    } else if let account {
      credentials.groups = groups.compactMap { fields in
        guard fields.count >= 4, fields[3].split(separator: ",").contains(account[0]) else { return nil }
        return UInt32(fields[2])
      }
    }
    return credentials
  }

  /// (uid_t)-1 means "leave it" to the kernel, so it is no one's number.
  private static func number(_ text: Substring) -> UInt32? {
    UInt32(text).flatMap { $0 == UInt32.max ? nil : $0 }
  }

  /// Throws for an id that a user namespace of ours has not.
  func checkMapped() throws(KernelError) {
    for (kind, id) in [("user", uid), ("group", gid)] + groups.map({ ("group", $0) }) where id >= IdentityRange.count {
      throw KernelError(
        "become", "\(kind) \(id)", errno: .invalidArgument,
        detail: "the service's user namespace has ids up to \(IdentityRange.count - 1)",
        remedy: "choose a smaller id, or give the service userns_mode: host")
    }
  }

  /// HOME and PATH as a login would have set them, where the environment has none.
  func completing(_ environment: [String]) -> [String] {
    var environment = environment
    if !environment.contains(where: { $0.hasPrefix("HOME=") }) { environment.append("HOME=\(home)") }
    if !environment.contains(where: { $0.hasPrefix("PATH=") }) {
      environment.append("PATH=\(ContainerPath.defaultSearchPath)")
    }
    return environment
  }

  /// Missing files are empty ones. The file is the container's: only a regular one is read, and only so much of it.
  private static func table(_ path: String, root: CInt) throws(KernelError) -> String {
    do {
      // Opening a device is already an order to it. So the file is looked at first, and then opened by its descriptor.
      return try text(of: try Descriptor.open(path, in: root, OpenFlag.path), path: path)
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory { return "" }
      throw error
    }
  }

  private static func text(of file: borrowing Descriptor, path: String) throws(KernelError) -> String {
    var status = stat()
    try check("read", path) { fstat(file.rawValue, &status) }
    if status.st_mode & S_IFMT != S_IFREG {
      throw KernelError("read", path, errno: .invalidArgument, detail: "not a regular file")
    }
    let opened = try Descriptor.open("/proc/self/fd/\(file.rawValue)", O_RDONLY)
    return String(decoding: try opened.read(upTo: 1 << 20, path: path), as: UTF8.self)
  }
}

/// Looks users up in the files of a root folder.
public enum RootUsers {
  /// The numbers of `name`, `uid`, `name:group` or `uid:gid`, by /etc/passwd and /etc/group below `root`.
  ///
  /// - Throws: ENOENT for a name that the files do not have.
  public static func numbers(
    of user: String, root: FileDescriptor
  ) throws(KernelError) -> (user: UInt32, group: UInt32) {
    let found = try Credentials.resolve(user, root: root)
    return (found.uid, found.gid)
  }

  /// The same, given the text of the two files (passwd(5), group(5)).
  ///
  /// - Throws: ENOENT for a name that they do not have.
  public static func numbers(
    of user: String, passwd: String, group: String
  ) throws(KernelError) -> (user: UInt32, group: UInt32) {
    let found = try Credentials.resolve(user, passwd: passwd, group: group)
    return (found.uid, found.gid)
  }
}
