import Glibc

/// Decides about files that a command has found and was not told. A file that other users put there would let them say
/// what root does. git refuses such folders likewise (safe.directory in git-config(1)).
package struct FileTrust {
  struct Attributes: Hashable {
    /// The uid.
    var owner: UInt32
    /// st_mode of stat(2).
    var mode: UInt32
  }

  /// The uids whose files are taken.
  var users: Set<UInt32>
  /// The attributes of the file at a path, or of the link itself if `followsLink` is false; nil for no file.
  var attributes: (_ path: String, _ followsLink: Bool) -> Attributes?

  /// Trusts on this host root, the caller, and the user behind sudo(8).
  package init(environment: [String: String]) {
    users = [0, getuid()]
    if geteuid() == 0, let caller = environment["SUDO_UID"].flatMap({ UInt32($0) }) { users.insert(caller) }
    attributes = { path, followsLink in
      var status = stat()
      guard (followsLink ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
      return Attributes(owner: status.st_uid, mode: status.st_mode)
    }
  }

  init(users: Set<UInt32>, attributes: @escaping (_ path: String, _ followsLink: Bool) -> Attributes?) {
    self.users = users
    self.attributes = attributes
  }

  /// The reason to refuse a file. Nil if it is trusted, or does not exist.
  func objection(to path: String) -> String? {
    guard let file = attributes(path, true) else { return nil }
    let folderPath = Path.split(path).folder
    guard let link = attributes(path, false), let folder = attributes(folderPath, true) else { return nil }
    for (shown, attributes) in [(path, file), (path, link), (folderPath, folder)] {
      guard users.contains(attributes.owner) else {
        return "\(shown) belongs to user \(attributes.owner), who is neither root nor you"
      }
    }
    if file.mode & 0o002 != 0 { return "\(path) can be written by every user" }
    // In a folder like /tmp, with the sticky bit, nobody can replace what others own.
    if folder.mode & 0o002 != 0, folder.mode & 0o1000 == 0 {
      return "every user can put another file in its place in \(folderPath)"
    }
    return nil
  }
}
