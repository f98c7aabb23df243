import Glibc
import Host
import Isolation
import Kernel
import Runtime

/// Looks at services again and again: how many processors are in use is known only from one look to the next.
struct UsageSampler {
  private struct Look {
    var time: ContinuousClock.Instant
    var processorTime: UInt64
  }

  private let groups: ControlGroups
  private let hostMemory: UInt64?
  private var looks: [String: Look] = [:]

  init() throws(KernelError) {
    groups = try ControlGroups.observe()
    hostMemory = Self.memoryOfHost()
  }

  /// The resources that a service uses; nil when it does not run.
  mutating func sample(_ status: StackIndex.ServiceStatus) throws(KernelError) -> ServiceUsage? {
    guard let process = status.record.process.flatMap({ ServiceProcess($0) }) else { return nil }
    let path = "stack/\(status.stack)/\(status.name)"
    let used = try groups.group(path).usage()
    var usage = ServiceUsage(stack: status.stack, service: status.name)
    if let time = used.processorTime {
      let now = ContinuousClock.now
      if let before = looks[path], now > before.time {
        // A group that was made anew begins at nothing.
        let spent = time - min(before.processorTime, time)
        usage.processors = Double(spent) / 1e6 / ((now - before.time) / .seconds(1))
      }
      looks[path] = Look(time: now, processorTime: time)
    }
    usage.memory = used.memory
    usage.memoryLimit = used.memory == nil ? nil : used.memoryLimit ?? hostMemory
    usage.processes = used.processes
    switch status.service.limits.processes {
    case .standard: usage.processLimit = ResourceLimits.ProcessLimit.standardCount
    case .exactly(let count): usage.processLimit = count
    case .none: break
    }
    (usage.bytesRead, usage.bytesWritten) = (used.bytesRead, used.bytesWritten)
    if let traffic = InterfaceCounters(of: process.identity.pid) {
      (usage.received, usage.sent) = (traffic.received, traffic.sent)
    }
    return usage
  }

  private static func memoryOfHost() -> UInt64? {
    let (pages, size) = (sysconf(CInt(_SC_PHYS_PAGES)), sysconf(CInt(_SC_PAGESIZE)))
    return pages > 0 && size > 0 ? UInt64(pages) * UInt64(size) : nil
  }
}

/// Bytes through the interfaces of a network namespace, its loopback not counted (proc_pid_net(5), dev).
struct InterfaceCounters: Hashable {
  var received: UInt64 = 0
  var sent: UInt64 = 0

  /// The counters of the namespace that a process is in; nil when that is gone.
  init?(of pid: Int32) {
    guard let bytes = try? Files.read("/proc/\(pid)/net/dev", limit: 1 << 20) else { return nil }
    self.init(String(decoding: bytes, as: UTF8.self))
  }

  /// Two lines of headings, then the name, a colon, eight numbers of what came in and eight of what went out.
  init(_ text: String) {
    for line in text.split(separator: "\n").dropFirst(2) {
      guard let colon = line.lastIndex(of: ":") else { continue }
      let name = line[..<colon].drop { $0 == " " }
      let numbers = line[line.index(after: colon)...].split(separator: " ")
      guard name != "lo", numbers.count >= 9 else { continue }
      received += UInt64(numbers[0]) ?? 0
      sent += UInt64(numbers[8]) ?? 0
    }
  }
}
