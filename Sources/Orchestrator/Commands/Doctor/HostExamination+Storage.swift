import Glibc
import Intent
import Kernel
import SystemPackage

extension HostExamination {
  /// A file system that state is to lie on.
  struct Space: Hashable {
    var path: String
    var isReadOnly: Bool
    var freeBytes: UInt64
    /// nil where the file system makes them as they are needed.
    var freeInodes: UInt64?
  }

  func storage() -> [HostFinding] {
    [folders.run, folders.lib].map { folder in
      let place = Self.nearest(folder)
      var status = statvfs()
      guard statvfs(place, &status) == 0 else {
        return HostFinding(.missing, "\(folder) cannot be used: \(place): \(Errno.last)")
      }
      return Self.judge(
        Space(
          path: folder, isReadOnly: status.f_flag & 1 != 0,
          freeBytes: UInt64(status.f_bavail) * UInt64(status.f_frsize),
          freeInodes: status.f_files == 0 ? nil : UInt64(status.f_favail)))
    }
  }

  /// A stack's own state is small: what it needs space for is logs, volumes and writable layers.
  static func judge(_ space: Space) -> HostFinding {
    let mebibytes = space.freeBytes >> 20
    if space.isReadOnly {
      return HostFinding(
        .missing, "\(space.path) is on a file system that is read-only",
        remedy: "mount it writable: mount -o remount,rw …")
    }
    if space.freeBytes < 1 << 20 || space.freeInodes.map({ $0 < 64 }) ?? false {
      return HostFinding(
        .missing, "\(space.path) is on a file system that is full", remedy: "make room: df -h \(space.path) shows which"
      )
    }
    if mebibytes < 64 || space.freeInodes.map({ $0 < 4096 }) ?? false {
      return HostFinding(
        .notice,
        "\(space.path) is on a file system with little room: \(mebibytes) MiB"
          + (space.freeInodes.map { " and \($0) inodes" } ?? ""),
        remedy: "make room before logs and volumes need it")
    }
    let amount = mebibytes < 10_240 ? "\(mebibytes) MiB" : "\(mebibytes >> 10) GiB"
    return HostFinding(.good, "\(space.path) is writable, with \(amount) free")
  }

  /// The folder itself, or the one above it that is there.
  static func nearest(_ path: String) -> String {
    var path = path
    while !Files.exists(path), let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      path = String(path[..<slash])
    }
    return Files.exists(path) ? path : "/"
  }
}
