import Glibc
import Kernel
import SystemPackage

/// Fields of /proc/PID/stat (proc_pid_stat(5)).
public struct ProcessStat: Hashable, Sendable {
  /// Field 3, a letter.
  public var state: UInt8
  /// Field 9: the PF_ bits of linux/sched.h.
  var flags: UInt32
  /// Field 20. A leader that has ended while other threads run is a zombie too, and counts them.
  var threads: Int
  /// Field 22: clock ticks from boot to its start.
  var startTime: UInt64
  /// Field 31: signals that wait for the leader, a bit for each.
  var pending: UInt64
  /// Field 52, in the form of waitpid(2). Zero for callers that may not trace the process.
  var waitStatus: Int32

  /// True for a zombie without other threads: it waits for its parent alone.
  var hasEnded: Bool { (state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")) && threads <= 1 }

  /// True from the moment that a process is killed to the end of its last thread. On a busy host, a thread ends once it
  /// gets a processor. A leader that ended by itself may leave threads that go on.
  var isEnding: Bool {
    !hasEnded && (state == UInt8(ascii: "Z") || flags & Self.exiting != 0 || pending & Self.killed != 0)
  }

  /// SIGKILL, which waits for each thread (complete_signal in kernel/signal.c).
  private static let killed: UInt64 = 1 << 8
  /// PF_EXITING.
  private static let exiting: UInt32 = 0x4

  /// Reads it of a process that exists now. ESRCH when there is none of that number.
  public init(of pid: Int32) throws(KernelError) {
    let path = "/proc/\(pid)/stat"
    let bytes: [UInt8]
    do {
      bytes = try Descriptor.open(path, O_RDONLY).read(upTo: 4096, path: path)
    } catch {
      let gone = error.errno == .noSuchFileOrDirectory
      throw KernelError("identify", "process \(pid)", errno: gone ? .noSuchProcess : error.errno)
    }
    guard let stat = ProcessStat(bytes) else {
      throw KernelError("identify", "process \(pid)", errno: .badMessage, detail: "\(path) is not as expected")
    }
    self = stat
  }

  /// nil when a field is missing. The name in field 2 may hold spaces and parentheses, so fields count from the last
  /// closing one.
  init?(_ bytes: [UInt8]) {
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split(omittingEmptySubsequences: true) { $0 <= 0x20 }
    guard fields.count > 19, let state = fields[0].first,
      let flags = UInt32(String(decoding: fields[6], as: UTF8.self)),
      let threads = Int(String(decoding: fields[17], as: UTF8.self)),
      let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
    else { return nil }
    (self.state, self.flags, self.threads, self.startTime) = (state, flags, threads, startTime)
    pending = fields.count > 28 ? UInt64(String(decoding: fields[28], as: UTF8.self)) ?? 0 : 0
    waitStatus = fields.count > 49 ? Int32(String(decoding: fields[49], as: UTF8.self)) ?? 0 : 0
  }
}
