import Isolation
import CLinux
import Glibc
import Kernel
import SystemPackage

/// A mount namespace that holds nothing of the host: one small read-only tmpfs with what masks are made of, an empty
/// folder and a null device.
///
/// Containers copy this one instead of the host's: the copy is one mount, however many the host has, and there is no
/// former root to get rid of.
struct MountTemplate: ~Copyable, Sendable {
  let namespace: Descriptor

  init() throws(KernelError) {
    let root = try Self.makeRoot()
    var program = Program()
    let action: StaticString = "prepare"
    let subject = "an empty mount namespace"
    program.unshare(CloneFlag.mount, for: action, subject)
    let slash = try program.open("/", OpenFlag.path, for: action, subject)
    program.setMount(slash, propagation: MountFlag.private, isRecursive: true, for: action, subject)
    let own = try program.open("/proc/self/ns/mnt", O_RDONLY, for: action, subject)
    // Entering a namespace leads to its own root (setns(2)). In a chroot, pivot_root(2) would replace a mount further down, and
    // all that is mounted on this host would stay in the template.
    program.enter(CloneFlag.mount, of: own, for: action, subject)
    // Any folder will do to mount on, and every Linux host has this one.
    let place = try program.open("/proc", OpenFlag.path, for: action, subject)
    program.move(.init(root.fileDescriptor), onto: place, for: action, subject)
    program.pivotRoot(onto: .init(root.fileDescriptor), for: action, subject)
    program.send(own, as: .namespace, for: action, subject)
    program.exit(for: action, subject)

    let spawned = try program.spawn()
    let report = Report(channel: Descriptor(adopting: spawned.report))
    let pidfd = Descriptor(adopting: spawned.pidfd)
    var outcome = try report.confirm(pidfd, purposes: program.purposes, command: subject)
    _ = try ProcessHandle.wait(for: pidfd)
    guard let namespace = outcome.namespace.take() else {
      throw KernelError("prepare", subject, errno: .noChildProcess)
    }
    self.namespace = namespace
  }

  private static func makeRoot() throws(KernelError) -> Descriptor {
    let action = "prepare"
    let subject = "a tmpfs for masks"
    let root = try TemporaryFileSystem.detached(mode: 0o555, size: "64k")
    try check(action, subject) { mkdirat(root.rawValue, "empty", 0o555) }
    try check(action, subject) {
      mknodat(root.rawValue, "null", mode_t(KernelPaths.characterDevice), UInt(makeDevice(1, 3)))
    }
    // mknod is subject to the caller's umask.
    try check(action, subject) { fchmodat(root.rawValue, "null", 0o666, 0) }
    try check(action, subject) {
      stack_mount_setattr(
        root.rawValue, "", UInt32(At.emptyPath),
        MountAttribute.readOnly | MountAttribute.noSuid | MountAttribute.noExec, 0, 0)
    }
    return root
  }
}

/// makedev(3), a macro.
func makeDevice(_ major: UInt64, _ minor: UInt64) -> UInt64 {
  (minor & 0xff) | ((major & 0xfff) << 8)
}
