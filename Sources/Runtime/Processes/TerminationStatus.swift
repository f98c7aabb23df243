import CLinux
import Glibc
import Kernel
public import SystemPackage

/// How a process ended.
public enum TerminationStatus: Hashable, Sendable {
  case exited(code: Int32)
  case signaled(signal: Int32, coreDumped: Bool)

  /// From the encoding of wait(2). `nil` when it says that the process has not ended.
  public init?(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    switch signal {
    case 0: self = .exited(code: (waitStatus >> 8) & 0xff)
    case 0x7f: return nil
    default: self = .signaled(signal: signal, coreDumped: waitStatus & 0x80 != 0)
    }
  }

  /// What a shell says in `$?`: the code itself, or 128 and the signal's number.
  public var shellCode: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let signal, _): 128 + signal
    }
  }

  /// What a shell says of a command that could not be executed: 127 when it is not there, 126 otherwise.
  public static func shellCode(forFailedExec errno: Errno) -> Int32 {
    errno == .noSuchFileOrDirectory ? 127 : 126
  }
}

/// What stack-init wrote when its command ended: it survives the reaping of stack-init by someone else, and a parent
/// that was not there.
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
