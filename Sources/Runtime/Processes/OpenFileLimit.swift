import Glibc
import Kernel
import SystemPackage

/// The number of descriptors that a process may have (RLIMIT_NOFILE, getrlimit(2)).
public struct OpenFileLimit: Hashable, Sendable {
  /// The limit in force.
  public let soft: UInt
  /// The highest limit that may be set.
  public let hard: UInt

  /// Raises this process's own limit to the highest, and returns the former one. Where the process may, that is the
  /// kernel's (fs.nr_open), and not that of whoever started it. A supervisor holds several descriptors for each service.
  /// Services start with the former limit, since programs that use select(2) rely on it.
  ///
  /// Makes room for `reserved` descriptors at once. If threads share the table, each later growth waits for all of
  /// them, some 10 ms (expand_files in fs/file.c). So call this before there are threads.
  public static func raise(reserving reserved: CInt) throws(KernelError) -> OpenFileLimit {
    var limit = rlimit()
    try check("read", "the limit of open files") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    let former = OpenFileLimit(soft: UInt(limit.rlim_cur), hard: UInt(limit.rlim_max))
    var highest = rlimit(rlim_cur: Self.kernels, rlim_max: Self.kernels)
    if Self.kernels <= limit.rlim_max || setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &highest) != 0 {
      limit.rlim_cur = limit.rlim_max
      try check("raise", "the limit of open files") { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    }
    // Beyond the hard limit there is no such number, and then none to be reserved.
    close(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, reserved - 1))
    return former
  }

  /// The limit of this process, as it is in force.
  public static func own() throws(KernelError) -> UInt {
    var limit = rlimit()
    try check("read", "the limit of open files") { getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
    return UInt(limit.rlim_cur)
  }

  /// /proc/sys/fs/nr_open; 0 where that cannot be read.
  private static var kernels: rlim_t {
    let path = "/proc/sys/fs/nr_open"
    guard let bytes = try? Descriptor.open(path, O_RDONLY).read(upTo: 32, path: path) else { return 0 }
    return rlim_t(String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)) ?? 0
  }

  var value: rlimit { rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard)) }
}
