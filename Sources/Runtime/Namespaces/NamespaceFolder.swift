import Glibc
import Kernel
import SystemPackage

/// The folder in which network namespaces are pinned: /run/netns, as ip-netns(8) has it.
public enum NamespaceFolder {
  /// The changes to a host without such a folder.
  public struct Change: OptionSet, Codable, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let madeFolder = Change(rawValue: 1)
    public static let madeMountPoint = Change(rawValue: 2)
  }

  /// The changes that pinning namespaces at `path` needs. They are recorded before they are made.
  public static func needed(_ path: String) throws(KernelError) -> Change {
    if access(path, F_OK) != 0 { return [.madeFolder, .madeMountPoint] }
    return Mounts.isMounted(at: path) ? [] : [.madeMountPoint]
  }

  /// Makes the folder a shared mount point, as `ip netns add` does, so that names given and taken are seen in all mount
  /// namespaces that stem from this one. One that is a mount point already stays as it is.
  public static func prepare(_ path: String) throws(KernelError) {
    if mkdir(path, 0o755) != 0, errno != EEXIST {
      throw KernelError("make", path, errno: .last)
    }
    if mount("", path, "none", UInt(MountFlag.shared), nil) == 0 { return }
    try check("make a mount point of", path) {
      mount(path, path, "none", UInt(MountFlag.bind | MountFlag.recursive), nil)
    }
    try check("share", path) { mount("", path, "none", UInt(MountFlag.shared), nil) }
  }

  /// Takes back what ``prepare(_:)`` had to do, as far as it did, unless something else is pinned there by now.
  public static func restore(_ path: String, _ change: Change) throws(KernelError) {
    guard try Mounts.below(path).allSatisfy({ $0.mountPoint == path }) else { return }
    if change.contains(.madeMountPoint), umount2(path, UnmountFlag.detach | UnmountFlag.noFollow) != 0 {
      let refusal = Errno.last
      guard refusal == .invalidArgument || refusal == .noSuchFileOrDirectory else {
        throw KernelError("unmount", path, errno: refusal)
      }
    }
    // Not empty: somebody else's by now.
    if change.contains(.madeFolder) { rmdir(path) }
  }
}
