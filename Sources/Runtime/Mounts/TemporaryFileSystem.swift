import CLinux
import Kernel

/// A tmpfs.
enum TemporaryFileSystem {
  /// Mount options (tmpfs(5)). With a size in bytes there is a number of inodes, too: what has no contents takes the kernel about as
  /// many bytes as stand here for each.
  static func options(mode: UInt16, size: UInt64?) -> String {
    let limits = size.map { ",size=\($0),nr_inodes=\(max($0 / 1024, 64))" } ?? ""
    return "mode=0\(String(mode, radix: 8))\(limits)"
  }

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
