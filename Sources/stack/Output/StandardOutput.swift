import ArgumentParser
import Kernel
import SystemPackage

/// The end of what a command prints.
enum StandardOutput {
  /// Writes what is still held back.
  ///
  /// - Throws: the exit status, if nobody could take it. A closed pipe is no failure: its reader has read enough.
  static func finish() throws {
    let status = status(after: 0)
    if status != 0 { throw ExitCode(status) }
  }

  /// The status of a command that ended with another one already.
  static func status(after status: Int32) -> Int32 {
    guard let error = StandardOutputError.flush(), error != .brokenPipe else { return status }
    standardError("error: ", "cannot write to standard output: \(error)")
    return status == 0 ? 1 : status
  }
}
