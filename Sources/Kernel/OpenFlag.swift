/// Flags of open(2) and openat2(2) that glibc shows to _GNU_SOURCE alone.
public enum OpenFlag {
  /// O_PATH: the descriptor names a file, and opens nothing of it.
  public static let path: CInt = 0o10000000
}

/// RESOLVE_… of linux/openat2.h, whose macros do not import with a type.
public enum ResolveFlag {
  /// No step leads onto another mount: EXDEV.
  public static let noMountCrossing: UInt64 = 0x01
  /// No step is a link of /proc/PID/fd and its like: ELOOP.
  public static let noMagicLinks: UInt64 = 0x02
  /// No step is a link: ELOOP.
  public static let noSymlinks: UInt64 = 0x04
  /// No step leads above the folder that the path starts at: EXDEV.
  public static let beneath: UInt64 = 0x08
  /// That folder is the root for absolute paths, absolute links and `..`.
  public static let inRoot: UInt64 = 0x10
}
