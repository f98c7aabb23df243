import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// Finds out where files can be shown under other ids, with a user namespace made for that alone.
public struct IdentityProbe: ~Copyable {
  private let namespace: Descriptor

  /// Throws why there can be no user namespace: ENOSPC when there are to be no more, EINVAL when the kernel has none.
  public init() throws(KernelError) {
    let number = try check("create", "a user namespace") { stack_userns_create(1 << 20, IdentityRange.count) }
    namespace = Descriptor(adopting: number)
  }

  /// True if the file system at `path` supports idmapped mounts.
  public func canMap(_ path: String) -> Bool {
    let number = stack_open_tree(AT_FDCWD, path, OpenTree.clone)
    guard number >= 0 else { return false }
    let tree = Descriptor(adopting: number)
    return stack_map_mount(tree.rawValue, 0, namespace.rawValue) == 0
  }

  /// True if this kernel has idmapped mounts of tmpfs, as from Linux 6.3 on.
  public func canMapTmpfs() throws(KernelError) -> Bool {
    let tree = try TemporaryFileSystem.detached(mode: 0o755, size: "4k")
    return stack_map_mount(tree.rawValue, 0, namespace.rawValue) == 0
  }

  /// True if `path` is on a file system that shows the kernel and keeps nothing: whose what is there is, the kernel decides.
  public static func showsKernel(_ path: String) -> Bool {
    FileSystemType.showingKernel.contains(stack_file_system_type(path))
  }
}
