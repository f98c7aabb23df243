import Glibc
import SystemPackage

extension Errno {
  /// What the thread's last failed call left.
  public static var last: Errno { Errno(rawValue: errno) }
}
