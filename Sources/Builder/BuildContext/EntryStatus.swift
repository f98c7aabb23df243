import Glibc

/// The fields of stat(2) that builds look at.
package struct EntryStatus: Sendable, Hashable {
  package enum Kind: UInt8, Sendable { case file, folder, link, fifo, socket, device }

  package var kind: Kind
  /// The permission bits: 0o7777 at most.
  package var mode: UInt32
  package var user: UInt32
  package var group: UInt32
  package var size: UInt64
  /// The number of names that the file has.
  package var nameCount: UInt64
  package var identity: FileIdentity
  /// Seconds and nanoseconds.
  package var modified: FileTime
  /// Of a device its number, and whether it is one of blocks. 0 for all else.
  package var device: UInt64

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      case S_IFIFO: .fifo
      case S_IFSOCK: .socket
      default: .device
      }
    mode = status.st_mode & 0o7777
    (user, group) = (status.st_uid, status.st_gid)
    size = UInt64(max(0, status.st_size))
    nameCount = UInt64(status.st_nlink)
    identity = FileIdentity(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), changed: FileTime(status.st_ctim), size: size)
    modified = FileTime(status.st_mtim)
    device = kind == .device ? UInt64(status.st_rdev) << 1 | (status.st_mode & S_IFMT == S_IFBLK ? 1 : 0) : 0
  }
}

/// A time of a file.
package struct FileTime: Sendable, Hashable, Comparable {
  package var seconds: Int64
  package var nanoseconds: Int64

  package init(seconds: Int64, nanoseconds: Int64) { (self.seconds, self.nanoseconds) = (seconds, nanoseconds) }

  init(_ time: timespec) { self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)) }

  package static func < (left: Self, right: Self) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// One state of one file: a change of its data, mode, owner or attributes makes another.
package struct FileIdentity: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  /// The time of the last change of anything (ctime of stat(2)), which programs cannot set.
  package var changed: FileTime
  package var size: UInt64
}
