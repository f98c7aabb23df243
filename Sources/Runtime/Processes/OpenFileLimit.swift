import Glibc
import Kernel
import SystemPackage

/// The number of descriptors that a process may have (RLIMIT_NOFILE, getrlimit(2)).
public struct OpenFileLimit: Hashable, Sendable {
  /// The limit in force.
  public let soft: UInt
  /// The highest limit that may be set.
  public let hard: UInt

  /// Raises this process's own as far as it may go, and answers what it was: a supervisor holds several descriptors for
  /// each service, but services are to start with what is usual, since programs that use select(2) rely on it.
  ///
  /// Makes room for `reserved` descriptors at once. A table that grows later, when threads share it, grows only after all of
  /// them have been waited for, some 10 ms each time (expand_files in fs/file.c): so call this before there are any.
  public static func raise(reserving reserved: CInt) throws(KernelError) -> OpenFileLimit {
    var limit = rlimit()
    try check("read", "the limit of open files") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    let former = OpenFileLimit(soft: UInt(limit.rlim_cur), hard: UInt(limit.rlim_max))
    limit.rlim_cur = limit.rlim_max
    try check("raise", "the limit of open files") { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    // Beyond the hard limit there is no such number, and then none to be reserved.
    close(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, reserved - 1))
    return former
  }

  var value: rlimit { rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard)) }
}
