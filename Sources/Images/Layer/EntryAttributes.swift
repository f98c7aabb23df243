import CImages
import Glibc
import Kernel
import SystemPackage

/// Owner, mode, time and extended attributes of an entry.
struct EntryAttributes {
  var user: uid_t
  var group: gid_t
  var mode: mode_t
  var modified: timespec
  var extended: [(name: String, value: [UInt8])]

  init(_ entry: TarReader.Entry, _ extended: [(name: String, value: [UInt8])], _ name: EntryName) throws(LayerError) {
    let (header, largest) = (entry.header, Int64(UInt32.max) - 1)
    guard (0...largest).contains(header.user), (0...largest).contains(header.group) else {
      throw LayerError("\(name.text) has the owner \(header.user):\(header.group), which no system has")
    }
    (user, group) = (uid_t(header.user), gid_t(header.group))
    mode = mode_t(header.mode) & 0o7777
    let nanoseconds = (0..<1_000_000_000).contains(header.nanoseconds) ? Int(header.nanoseconds) : 0
    modified = timespec(tv_sec: Int(header.seconds), tv_nsec: nanoseconds)
    self.extended = extended.compactMap(Self.kept)
  }

  init(_ status: stat) {
    (user, group, mode) = (status.st_uid, status.st_gid, status.st_mode & 0o7777)
    (modified, extended) = (status.st_mtim, [])
  }

  static let capability = "security.capability"

  /// The capability of an open file, as an attribute; none where it has none.
  static func capabilities(of file: CInt) -> [(name: String, value: [UInt8])] {
    var value = [UInt8](repeating: 0, count: 64)
    let count = images_attribute(file, capability, &value, value.count)
    return count > 0 ? [(capability, Array(value.prefix(count)))] : []
  }

  /// True if what has this status would not change.
  func isThat(of status: stat) -> Bool {
    (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (user, group, mode)
      && (status.st_mtim.tv_sec, status.st_mtim.tv_nsec) == (modified.tv_sec, modified.tv_nsec) && extended.isEmpty
  }

  /// Only what means the same on every host is kept: `trusted.` would speak to this one's overlayfs, and the labels of security
  /// modules are of another's policy.
  static func kept(_ attribute: (name: String, value: [UInt8])) -> (name: String, value: [UInt8])? {
    // To pax, a record without a value takes one away.
    guard !attribute.value.isEmpty else { return nil }
    if attribute.name == capability { return (capability, version2(attribute.value)) }
    guard attribute.name.hasPrefix("user."), !attribute.name.hasPrefix("user.overlay.") else { return nil }
    return attribute
  }

  /// A capability of version 3 names a user namespace's root, which is nobody here (linux/capability.h, VFS_CAP_REVISION).
  static func version2(_ value: [UInt8]) -> [UInt8] {
    guard value.count == 24, value[3] == 3 else { return value }
    return Array(value[..<3]) + [2] + Array(value[4..<20])
  }

  /// Sets all of them on an open file or folder, in the order in which none undoes another: a change of owner clears set-user-ID
  /// and capability.
  ///
  /// - Parameter unsupported: gets the names of attributes that the file system does not have.
  func apply(to file: CInt, _ name: EntryName, unsupported: (String) -> Void) throws(LayerError) {
    guard fchown(file, user, group) == 0 else { throw Self.failure("give to its owner", name) }
    for (attribute, value) in extended {
      if images_set_attribute(file, attribute, value, value.count) == 0 { continue }
      guard [.notSupported, .notPermitted].contains(Errno.last) else {
        throw Self.failure("set \(VisibleText.line(attribute)) of", name)
      }
      unsupported(attribute)
    }
    guard fchmod(file, mode) == 0 else { throw Self.failure("set the mode of", name) }
    guard images_set_time_of(file, Int64(modified.tv_sec), modified.tv_nsec) == 0 else {
      throw Self.failure("set the time of", name)
    }
  }

  /// The same for what must not be opened: links, devices, FIFOs. A link has no mode.
  func apply(at folder: CInt, _ name: EntryName, isLink: Bool) throws(LayerError) {
    let last = EntryName.cString(name.last)
    guard fchownat(folder, last, user, group, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Self.failure("give to its owner", name)
    }
    // The name was made a moment ago in a folder that nobody else reaches, so it leads to no link.
    guard isLink || fchmodat(folder, last, mode, 0) == 0 else { throw Self.failure("set the mode of", name) }
    guard images_set_time(folder, last, Int64(modified.tv_sec), modified.tv_nsec) == 0 else {
      throw Self.failure("set the time of", name)
    }
  }

  private static func failure(_ action: String, _ name: EntryName) -> LayerError {
    LayerError(KernelError(action, name.text, errno: .last))
  }
}
