import CLinux
import Kernel

/// A tmpfs.
package enum TemporaryFileSystem {
  /// Mount options (tmpfs(5)).
  static func options(mode: UInt16, size: UInt64?) -> String {
    "mode=0\(String(mode, radix: 8))" + (size.map { ",\(sizeOptions($0))" } ?? "")
  }

  /// With a size in bytes there is a number of inodes, too: what has no contents takes the kernel about as many bytes as stand
  /// here for each.
  package static func sizeOptions(_ size: UInt64) -> String { "size=\(size),nr_inodes=\(max(size / 1024, 64))" }

  /// One that is in no mount namespace yet.
  ///
  /// - Parameter size: as the mount option has it: `64k`.
  static func detached(mode: UInt16, size: String) throws(KernelError) -> Descriptor {
    let (action, subject) = ("mount", "a tmpfs")
    let context = Descriptor(adopting: try check(action, subject) { stack_fsopen("tmpfs") })
    for (key, value) in [("source", "tmpfs"), ("mode", "0\(String(mode, radix: 8))"), ("size", size)] {
      try check(action, subject) { stack_fsconfig(context.rawValue, FSConfig.setString, key, value, 0) }
    }
    try check(action, subject) { stack_fsconfig(context.rawValue, FSConfig.create, nil, nil, 0) }
    return Descriptor(adopting: try check(action, subject) { stack_fsmount(context.rawValue, 0) })
  }
}
