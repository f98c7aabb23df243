import Vocabulary
import Isolation
import Glibc
import Intent
import Kernel
import Runtime

extension StackBuilder {
  /// A tmpfs of the service's own for what it writes, with a size: it fills its own share of memory, and nobody else's. What it writes
  /// counts towards the memory that it may use.
  ///
  /// One that is there stays as it is, also one without a size that an earlier version has made: it holds what the service wrote.
  func makeLayer(of service: DesiredService, _ paths: ServiceFolder) throws(KernelError) {
    try Files.makeFolder(paths.layer, mode: 0o755)
    guard !Mounts.isMounted(at: paths.layer), !Files.exists(paths.upper) else { return }
    if LayerDisk.isPlace(of: service, folder.lib) {
      // An existing layer is of a former boot, and its files belong to other ids.
      try Files.remove(paths.layerOnDisk)
      try Files.makeFolder(paths.layerOnDisk, mode: 0o755, above: 0o700)
      return try Mounts.bind(paths.layerOnDisk, at: paths.layer)
    }
    try Mounts.tmpfs(at: paths.layer, size: writableSize(of: service))
  }

  /// A quarter of the memory that the service may use, so that root and /tmp together leave half of it.
  func writableSize(of service: DesiredService) -> UInt64 {
    if let size = service.settings.writableSize { return size }
    let share = min(service.limits.memory ?? .max, Self.hostMemory) / 4
    return max(share & ~4095, 1 << 20)
  }

  private static let hostMemory =
    UInt64(max(sysconf(CInt(_SC_PHYS_PAGES)), 1)) * UInt64(max(sysconf(CInt(_SC_PAGESIZE)), 1))

  /// While the stack is up, its volumes are mounted on themselves with nosuid and nodev. So set-user-ID programs in
  /// them have no effect on the host, even for a user who gets past the folder's mode.
  func guardVolumes() throws(KernelError) {
    guard !Mounts.isMounted(at: folder.volumes) else { return }
    try Mounts.restrict(folder.volumes)
  }

  /// Removes the guard of the volumes. Mounts of others stay.
  package func unguardVolumes() throws(KernelError) {
    guard Mounts.isMounted(at: folder.volumes), try Mounts.isMountedOnItself(folder.volumes) else { return }
    try Mounts.unmount(folder.volumes, detach: true)
  }
}
