import CLinux
import SystemPackage

/// The fate of text that was printed.
package enum StandardOutputError {
  /// Writes what the C library holds back.
  ///
  /// - Returns: the reason why some of it could not be written; nil if all was.
  package static func flush() -> Errno? {
    let number = stack_flush_output()
    return number == 0 ? nil : Errno(rawValue: number)
  }
}
