import Kernel
import CLinux
import Glibc
public import Kernel

/// A program as it is executed where a service may come to see the process: through a read-only mount of its own.
///
/// /proc/PID/exe leads to the file by the mount that it was executed from, for whoever may look into the process. So does the
/// interpreter of a script that begins with `#!/proc/self/exe`, which then runs with the service's own rights. By way of this
/// mount nobody writes to the host's file (CVE-2019-5736).
///
/// The mount belongs to no mount namespace any more once this value is gone. No capability changes it then: mount_setattr(2)
/// and open_tree(2) refuse a mount that is nowhere with EINVAL.
public struct ReadOnlyProgram: ~Copyable, Sendable {
  private let mount: Descriptor
  /// The file for execveat(2), as a path alone (O_PATH).
  let file: Descriptor

  /// - Parameter path: of the program, on this host.
  init(_ path: String) throws(KernelError) {
    let mount = try Self.mount(path)
    file = try Descriptor.open("/proc/self/fd/\(mount.rawValue)", OpenFlag.path)
    self.mount = mount
  }

  private init(mount: consuming Descriptor, file: consuming Descriptor) {
    self.mount = mount
    self.file = file
  }

  /// The program of this process.
  ///
  /// /proc/PID/exe shows the program's path if it is on the root file system, and `/` otherwise.
  static func own() throws(KernelError) -> ReadOnlyProgram {
    do throws(KernelError) {
      if let shown = try below("/") { return shown }
    } catch {
      // Only the path would be nicer.
    }
    return try ReadOnlyProgram(ownPath)
  }

  private static let ownPath = "/proc/self/exe"

  /// Finds this program through a mount of the whole file system at `folder`; nil if it is not on that.
  private static func below(_ folder: String) throws(KernelError) -> ReadOnlyProgram? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(ownPath, &bytes, bytes.count)
    guard count > 0 else { return nil }
    let path = String(decoding: bytes.prefix(count), as: UTF8.self)
    let mount = try mount(folder)
    let number = stack_openat2(
      mount.rawValue, path, UInt64(OpenFlag.path), 0, ResolveFlag.inRoot | ResolveFlag.noMagicLinks)
    guard number >= 0 else { return nil }
    let file = Descriptor(adopting: number)
    var (own, found) = (stat(), stat())
    guard stat(ownPath, &own) == 0, fstat(file.rawValue, &found) == 0, own.st_dev == found.st_dev,
      own.st_ino == found.st_ino
    else { return nil }
    return ReadOnlyProgram(mount: mount, file: file)
  }

  /// The file alone, without the mount.
  consuming func withoutMount() -> Descriptor { file }

  private static func mount(_ path: String) throws(KernelError) -> Descriptor {
    let mount = Descriptor(
      adopting: try check("mount read-only", path) { stack_open_tree(AT_FDCWD, path, OpenTree.clone) })
    try check("mount read-only", path) {
      stack_mount_setattr(
        mount.rawValue, "", UInt32(At.emptyPath),
        MountAttribute.readOnly | MountAttribute.noSuid | MountAttribute.noDev, 0, MountFlag.private)
    }
    return mount
  }

  /// Begins this process anew by way of such a mount, with the same arguments, environment and descriptors. Returns where that
  /// was done before.
  public static func ensureOwn() throws(KernelError) {
    guard try check("look at", ownPath, { stack_is_read_only(ownPath) }) == 0 else { return }
    let program = try own()
    try check("execute", "this program from a read-only mount") {
      stack_execute_again(program.file.rawValue, CommandLine.unsafeArgv)
    }
  }
}
