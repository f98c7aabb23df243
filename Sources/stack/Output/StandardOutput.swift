import Kernel
import SystemPackage

/// The end of what a command prints.
enum StandardOutput {
  /// Writes what is still held back.
  ///
  /// A closed pipe is no failure: its reader has read enough.
  ///
  /// - Parameter status: the command's own.
  /// - Returns: the status to end with.
  static func status(after status: Int32) -> Int32 {
    guard let error = StandardOutputError.flush(), error != .brokenPipe else { return status }
    standardError("error: ", "cannot write to standard output: \(error)")
    return status == 0 ? 1 : status
  }
}
