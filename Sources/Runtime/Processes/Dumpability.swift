import CLinux
import Glibc
import Kernel

/// True if others may look into this process: trace it, open its memory or its descriptors under /proc (PR_SET_DUMPABLE).
public enum Dumpability {
  /// From here on only who may trace every process of the host can, and the same holds for the children of this process until
  /// they have exec'd.
  ///
  /// It is for good: it belongs to all threads, so one that put it back would open what another is about to make.
  public static func renounce() throws(KernelError) {
    try check("close", "this process to others") { stack_become_undumpable() }
  }
}
