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

  init(status: TerminationStatus, time: Int64) {
    (self.status, self.time) = (status, time)
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

extension ExitRecord {
  /// The end of a process whose supervisor was killed, as its watcher has written it down. `nil` when there is none.
  ///
  /// - Parameter since: nanoseconds since 1970. What ended earlier had the same number by chance.
  public static func read(_ path: String, of pid: Int32, since: Int64) throws(KernelError) -> ExitRecord? {
    let bytes: [UInt8]
    do {
      bytes = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).read(upTo: 1 << 20, path: path)
    } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    let size = MemoryLayout<stack_end>.size
    for start in stride(from: 0, through: bytes.count - size, by: size).reversed() {
      var entry = stack_end()
      withUnsafeMutableBytes(of: &entry) { $0.copyBytes(from: bytes[start..<start + size]) }
      guard entry.magic == STACK_END_MAGIC, entry.pid == pid, entry.time >= since else { continue }
      return TerminationStatus(waitStatus: entry.status).map { ExitRecord(status: $0, time: entry.time) }
    }
    return nil
  }
}
