import CLinux
import Glibc
import Kernel
import SystemPackage

/// The record that stack-init writes when its command ends. It survives stack-init being reaped by another process, and
/// a parent that was not there.
public struct ExitRecord: Hashable, Sendable {
  public let status: TerminationStatus
  /// Nanoseconds since 1970.
  public let time: Int64

  /// Reads the record at `path`. `nil` when there is none or it is incomplete: the command has not ended, or its
  /// stack-init was killed.
  public static func read(_ path: String) throws(KernelError) -> ExitRecord? {
    let file: Descriptor
    do {
      file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    return ExitRecord(bytes: try file.read(upTo: 4096, path: path))
  }

  init?(bytes: [UInt8]) {
    var record = stack_exit_record()
    guard bytes.count >= MemoryLayout.size(ofValue: record) else { return nil }
    withUnsafeMutableBytes(of: &record) { $0.copyBytes(from: bytes.prefix($0.count)) }
    guard record.magic == STACK_EXIT_RECORD_MAGIC, let status = TerminationStatus(waitStatus: record.status) else {
      return nil
    }
    self.status = status
    self.time = record.time
  }
}
