import Glibc
public import Kernel
import SystemPackage

/// The folder in which network namespaces are pinned: /run/netns, as ip-netns(8) has it.
public enum NamespaceFolder {
  /// What had to be done to a host that had no such folder ready.
  public struct Change: OptionSet, Codable, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let madeFolder = Change(rawValue: 1)
    public static let madeMountPoint = Change(rawValue: 2)
  }

  /// Makes the folder a shared mount point, as `ip netns add` does, so that names given and taken are seen in all mount
  /// namespaces that stem from this one. One that is a mount point already stays as it is.
  public static func prepare(_ path: String) throws(KernelError) -> Change {
    var change: Change = []
    if mkdir(path, 0o755) == 0 {
      change.insert(.madeFolder)
    } else if errno != EEXIST {
      throw KernelError("make", path, errno: Errno(rawValue: errno))
    }
    if mount("", path, "none", UInt(MountFlag.shared), nil) == 0 { return change }
    try check("make a mount point of", path) {
      mount(path, path, "none", UInt(MountFlag.bind | MountFlag.recursive), nil)
    }
    change.insert(.madeMountPoint)
    try check("share", path) { mount("", path, "none", UInt(MountFlag.shared), nil) }
    return change
  }

  /// Takes back what ``prepare(_:)`` had to do, unless something else is pinned there by now.
  public static func restore(_ path: String, _ change: Change) throws(KernelError) {
    guard try Mounts.below(path).allSatisfy({ $0.mountPoint == path }) else { return }
    if change.contains(.madeMountPoint), umount2(path, UnmountFlag.detach | UnmountFlag.noFollow) != 0, errno != EINVAL
    {
      throw KernelError("unmount", path, errno: Errno(rawValue: errno))
    }
    // Not empty: somebody else's by now.
    if change.contains(.madeFolder) { rmdir(path) }
  }
}
