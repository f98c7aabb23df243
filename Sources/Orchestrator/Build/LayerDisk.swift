import CLinux
import Intent
import Kernel

/// True if the disk takes writable layers of services.
package enum LayerDisk {
  /// OVERLAYFS_SUPER_MAGIC of linux/magic.h: an overlay cannot hold another's upper folder.
  private static let overlay: Int64 = 0x794C_7630

  /// True if a service's writable layer is on disk. A size is kept by a tmpfs alone.
  static func isPlace(of service: DesiredService, _ folder: String) -> Bool {
    service.image != nil && service.settings.writableSize == nil && canHold(folder)
  }

  /// - Parameter folder: where they would be; it need not be there yet.
  package static func canHold(_ folder: String) -> Bool {
    var path = folder
    while !Files.exists(path), let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      path = String(path[..<slash])
    }
    return stack_file_system_type(path) != overlay
  }
}
