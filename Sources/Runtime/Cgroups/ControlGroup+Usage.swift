import Kernel

/// The resources that the processes of a group use and have used. nil where the kernel does not count it.
public struct ResourceUsage: Hashable, Sendable {
  /// Microseconds of processor time.
  public var processorTime: UInt64?
  /// Bytes, less what the kernel can take back at once: file pages not used of late.
  public var memory: UInt64?
  /// Bytes. Nil: as much as the host has.
  public var memoryLimit: UInt64?
  /// Processes and threads.
  public var processes: UInt64?
  /// Bytes from and to block devices.
  public var bytesRead: UInt64?
  public var bytesWritten: UInt64?

  public init() {}
}

extension ControlGroup {
  /// Reads from whichever tree has it.
  public func usage() throws(KernelError) -> ResourceUsage {
    var usage = ResourceUsage()
    // Version 2 counts this with and without its controller.
    if let stat = try unifiedFile("cpu.stat") {
      usage.processorTime = ControlGroupFile.value(of: "usage_usec", in: stat)
    } else if let text = try legacyFile(.cpuacct, "cpuacct.usage") {
      usage.processorTime = Self.number(text).map { $0 / 1000 }
    }
    try readMemory(into: &usage)
    usage.processes = try file("pids.current", or: .pids, "pids.current").flatMap(Self.number)
    if usage.processes == nil, folder != nil { usage.processes = UInt64(try processes().count) }
    try readBlockIO(into: &usage)
    return usage
  }

  private func readMemory(into usage: inout ResourceUsage) throws(KernelError) {
    if let current = try unifiedFile("memory.current").flatMap(Self.number) {
      let idle = try unifiedFile("memory.stat").flatMap { ControlGroupFile.value(of: "inactive_file", in: $0) } ?? 0
      usage.memory = current - min(idle, current)
      // `max` is no number.
      usage.memoryLimit = try unifiedFile("memory.max").flatMap(Self.number)
    } else if let current = try legacyFile(.memory, "memory.usage_in_bytes").flatMap(Self.number) {
      let stat = try legacyFile(.memory, "memory.stat") ?? ""
      let idle = ControlGroupFile.value(of: "total_inactive_file", in: stat) ?? 0
      usage.memory = current - min(idle, current)
      // The highest number of pages that there is stands for no limit.
      usage.memoryLimit = try legacyFile(.memory, "memory.limit_in_bytes").flatMap(Self.number)
        .flatMap { $0 >= 1 << 62 ? nil : $0 }
    }
  }

  private func readBlockIO(into usage: inout ResourceUsage) throws(KernelError) {
    if let text = try unifiedFile("io.stat") {
      (usage.bytesRead, usage.bytesWritten) = (0, 0)
      for word in text.split(whereSeparator: \.isWhitespace) {
        if word.hasPrefix("rbytes=") { usage.bytesRead? += UInt64(word.dropFirst(7)) ?? 0 }
        if word.hasPrefix("wbytes=") { usage.bytesWritten? += UInt64(word.dropFirst(7)) ?? 0 }
      }
    } else if let text = try legacyFile(.io, "blkio.throttle.io_service_bytes_recursive") {
      (usage.bytesRead, usage.bytesWritten) = (0, 0)
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: " ")
        guard parts.count == 3, let count = UInt64(parts[2]) else { continue }
        if parts[1] == "Read" { usage.bytesRead? += count }
        if parts[1] == "Write" { usage.bytesWritten? += count }
      }
    } else if folder != nil {
      try readBlockIOOfProcesses(into: &usage)
    }
  }

  /// Adds up the counters of the group's processes where no group counts block I/O. A group for it would cost every
  /// service time. A process takes over the counters of those that it reaps (proc_pid_io(5), wait_task_zombie in
  /// exit.c).
  private func readBlockIOOfProcesses(into usage: inout ResourceUsage) throws(KernelError) {
    (usage.bytesRead, usage.bytesWritten) = (0, 0)
    for pid in Set(try processes()) {
      // One that has ended meanwhile has left its count to another.
      guard let text = try? ControlGroupFile.read("/proc/\(pid)/io") else { continue }
      usage.bytesRead? += ControlGroupFile.value(of: "read_bytes:", in: text) ?? 0
      usage.bytesWritten? += ControlGroupFile.value(of: "write_bytes:", in: text) ?? 0
    }
  }

  /// The number of processes of the group that the OOM killer has ended, for want of the group's memory or the host's.
  public func outOfMemoryKills() throws(KernelError) -> UInt64 {
    let text = try file("memory.events", or: .memory, "memory.oom_control") ?? ""
    return ControlGroupFile.value(of: "oom_kill", in: text) ?? 0
  }

  private func file(
    _ unified: String, or controller: ControlGroups.Controller, _ legacy: String
  ) throws(KernelError) -> String? {
    if let text = try unifiedFile(unified) { return text }
    return try legacyFile(controller, legacy)
  }

  private func unifiedFile(_ name: String) throws(KernelError) -> String? {
    guard let tree = groups.unified else { return nil }
    return try ControlGroupFile.read("\(folder(in: tree))/\(name)")
  }

  private func legacyFile(_ controller: ControlGroups.Controller, _ name: String) throws(KernelError) -> String? {
    guard let tree = groups.legacy[controller] else { return nil }
    return try ControlGroupFile.read("\(folder(in: tree))/\(name)")
  }

  private static func number(_ text: String) -> UInt64? { UInt64(text.filter { !$0.isWhitespace }) }
}
