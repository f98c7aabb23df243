import Glibc
import SystemPackage

extension Errno {
  /// The error of the thread's last failed call.
  public static var last: Errno { Errno(rawValue: errno) }
}
