import CLinux
import Glibc
import Kernel

/// Limits and priorities that a process inherits from its caller. A process that outlives the caller must not depend on
/// them.
public enum CallersSurroundings {
  /// Takes off limits and priorities of the caller's. Where the kernel does not permit that, they stay.
  public static func leave() {
    for kind in [RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA] {
      var limit = rlimit(rlim_cur: rlim_t.max, rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(kind.rawValue), &limit)
    }
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 0)
    _ = stack_reset_io_priority()
  }

  /// The adjustment of the OOM score of what this process starts; nil for its own. A supervisor's own is low, and no
  /// service's is.
  public static let oomScoreAdjustment: Int32? = {
    let path = "/proc/self/oom_score_adj"
    guard let bytes = try? Descriptor.open(path, O_RDONLY).read(upTo: 32, path: path) else { return nil }
    let own = Int32(String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)) ?? 0
    return own < 0 ? 0 : nil
  }()
}
