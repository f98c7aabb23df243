import CLinux
import Glibc
import Kernel
import SystemPackage

extension Descriptor {
  /// Opens `path` with O_CLOEXEC.
  static func open(
    _ path: String, _ flags: CInt, mode: mode_t = 0, at directory: CInt = AT_FDCWD
  ) throws(KernelError) -> Descriptor {
    let number = try check("open", path) { Glibc.openat(directory, path, flags | O_CLOEXEC, mode) }
    return Descriptor(adopting: number)
  }

  /// Opens `path` as a process would whose root is `root`: no link of any kind leads out of it (openat2(2)).
  static func open(_ path: String, in root: CInt, _ flags: CInt) throws(KernelError) -> Descriptor {
    let rules = ResolveFlag.inRoot | ResolveFlag.noMagicLinks
    let number = try check("open", path) { stack_openat2(root, path, UInt64(UInt32(bitPattern: flags)), 0, rules) }
    return Descriptor(adopting: number)
  }

  /// The entries of the open folder at `path` (``FolderEntry``).
  func entries(of path: String) throws(KernelError) -> [FolderEntry] {
    do {
      return try FolderEntry.all(in: fileDescriptor)
    } catch {
      throw KernelError("list", path, errno: error)
    }
  }

  /// Reads all of a file, at most `limit` bytes; a larger one throws EFBIG.
  func read(upTo limit: Int, path: String) throws(KernelError) -> [UInt8] {
    do {
      return try fileDescriptor.readAll(limit: limit)
    } catch {
      throw KernelError("read", path, errno: error)
    }
  }
}

/// MOUNT_ATTR_… of linux/mount.h.
enum MountAttribute {
  static let readOnly: UInt64 = 0x01
  static let noSuid: UInt64 = 0x02
  static let noDev: UInt64 = 0x04
  static let noExec: UInt64 = 0x08
}

/// MS_… of sys/mount.h, as mount(2) takes them.
enum MountFlag {
  static let readOnly: UInt64 = 1
  static let noSuid: UInt64 = 2
  static let noDev: UInt64 = 4
  static let noExec: UInt64 = 8
  static let bind: UInt64 = 4096
  static let recursive: UInt64 = 16384
  static let noAccessTime: UInt64 = 1024
  static let `private`: UInt64 = 1 << 18
  static let slave: UInt64 = 1 << 19
  static let shared: UInt64 = 1 << 20
}

/// CLONE_NEW… of sched(7).
enum CloneFlag {
  static let mount: UInt64 = 0x0002_0000
  static let cgroup: UInt64 = 0x0200_0000
  static let uts: UInt64 = 0x0400_0000
  static let ipc: UInt64 = 0x0800_0000
  static let user: UInt64 = 0x1000_0000
  static let pid: UInt64 = 0x2000_0000
  static let network: UInt64 = 0x4000_0000
}

/// AT_… of fcntl.h that carry the same number everywhere.
enum At {
  static let emptyPath: CInt = 0x1000
  static let recursive: UInt64 = 0x8000
}

/// MNT_DETACH and UMOUNT_NOFOLLOW of umount2(2).
enum UnmountFlag {
  static let detach: CInt = 2
  static let noFollow: CInt = 8
}

/// PR_… of prctl(2).
enum ProcessControl {
  static let setParentDeathSignal: UInt64 = 1
  static let keepCapabilities: UInt64 = 8
  static let noNewPrivileges: UInt64 = 38
}

/// OPEN_TREE_CLONE of linux/mount.h.
enum OpenTree {
  static let clone: UInt32 = 1
}

/// SEEK_… of lseek(2), which glibc shows to _GNU_SOURCE alone.
enum Seek {
  static let data: CInt = 3
  static let hole: CInt = 4
}

/// …_MAGIC of linux/magic.h.
enum FileSystemType {
  static let pipe: Int64 = 0x5049_5045
  /// proc, sysfs, cgroup2, cgroup, devpts, debugfs, tracefs, securityfs, bpf, configfs, mqueue.
  static let showingKernel: [Int64] = [
    0x9fa0, 0x6265_6572, 0x6367_7270, 0x0027_e0eb, 0x1cd1, 0x6462_6720, 0x7472_6163, 0x7363_6673, 0xcafe_4a11,
    0x6265_6570, 0x1980_0202,
  ]
}

/// MOVE_MOUNT_… of linux/mount.h.
enum MoveMount {
  static let fromDescriptor: UInt32 = 4
}
