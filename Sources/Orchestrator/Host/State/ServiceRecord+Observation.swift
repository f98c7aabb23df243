import FoundationEssentials
import Glibc
import Intent
import Kernel
import Runtime

extension ServiceRecord {
  /// The kernel's view of a service whose record cannot be read: its first process, in its control group.
  package init(observing service: String, in stack: String) throws(KernelError) {
    self.init(service: service)
    let group = try ControlGroups.observe().group("stack/\(stack)/\(service)")
    guard let process = try Self.first(of: group.processes()) else { return }
    self.process = process
    // Its supervisor looks for readiness.
    phase = .starting
    startedAt = Self.start(of: process)
  }

  /// The process that is the first of its pid namespace; without a namespace of its own, the oldest.
  private static func first(of pids: [Int32]) throws(KernelError) -> ProcessIdentity? {
    var found: [(identity: ProcessIdentity, isFirst: Bool)] = []
    for pid in pids {
      guard let identity = try? ProcessIdentity(of: pid) else { continue }
      found.append((identity, isFirst(pid)))
    }
    return found.min { one, other in
      one.isFirst != other.isFirst ? one.isFirst : one.identity.startTime < other.identity.startTime
    }?.identity
  }

  /// Reads NSpid of proc_pid_status(5): the numbers of a process from this namespace down to its own.
  private static func isFirst(_ pid: Int32) -> Bool {
    let text = String(decoding: (try? Files.read("/proc/\(pid)/status", limit: 1 << 16)) ?? [], as: UTF8.self)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") }) else { return false }
    let numbers = line.split(whereSeparator: \.isWhitespace).dropFirst()
    return numbers.count > 1 && numbers.last == "1"
  }

  /// Seconds since 1970.
  private static func start(of process: ProcessIdentity) -> Double {
    var uptime = timespec()
    clock_gettime(CLOCK_BOOTTIME, &uptime)
    let ticks = Double(max(sysconf(CInt(_SC_CLK_TCK)), 1))
    let age = Double(uptime.tv_sec) + Double(uptime.tv_nsec) / 1e9 - Double(process.startTime) / ticks
    return Date().timeIntervalSince1970 - age
  }
}
