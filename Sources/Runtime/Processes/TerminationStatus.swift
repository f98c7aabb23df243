import SystemPackage

/// The end of a process.
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

  /// The value of `$?` in a shell: the code itself, or 128 and the signal's number.
  public var shellCode: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let signal, _): 128 + signal
    }
  }

  /// The value of `$?` for a command that could not be executed: 127 when it does not exist, 126 otherwise.
  public static func shellCode(forFailedExec errno: Errno) -> Int32 {
    errno == .noSuchFileOrDirectory ? 127 : 126
  }
}
