import CLinux
import Kernel

/// True if the disk takes writable layers of services.
enum LayerDisk {
  /// OVERLAYFS_SUPER_MAGIC of linux/magic.h: an overlay cannot hold another's upper folder.
  private static let overlay: Int64 = 0x794C_7630

  /// - Parameter folder: where they would be; it need not be there yet.
  static func canHold(_ folder: String) -> Bool {
    var path = folder
    while !Files.exists(path), let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      path = String(path[..<slash])
    }
    return stack_file_system_type(path) != overlay
  }
}
