import CLinux
import Kernel

/// A tmpfs that is in no mount namespace yet.
enum TemporaryFileSystem {
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
