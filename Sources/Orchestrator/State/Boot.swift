import Kernel
import SystemPackage

/// The time from one start of the host to the next. What was recorded in another is history: no process of it runs, and
/// its numbers may be others' by now.
enum Boot {
  /// What tells this one from all others (random(4), boot_id).
  static func current() throws(KernelError) -> String {
    let path = "/proc/sys/kernel/random/boot_id"
    guard let bytes = try Files.read(path, limit: 4096) else {
      throw KernelError("read", path, errno: .noSuchFileOrDirectory)
    }
    return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
  }
}
