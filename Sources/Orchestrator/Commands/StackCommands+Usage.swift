import Glibc
import Host
import Kernel
import Runtime
import Vocabulary

extension StackCommands {
  /// Looks at what services use, every second until Ctrl-C, or once.
  ///
  /// - Parameters:
  ///   - services: all of the stacks' that run when empty.
  ///   - show: gets each look; answers whether to go on.
  package func watchUsage(
    of services: [StackIndex.Place], in stacks: [String], isOnce: Bool, show: ([ServiceUsage]) -> Bool
  ) throws(StackErrors) {
    var sampler = try rethrowing(nil) { () throws(KernelError) in try UsageSampler() }
    // The first look is there to be compared with.
    _ = try look(&sampler, services, stacks)
    var wait: CInt = 300
    while pause(milliseconds: wait) {
      guard show(try look(&sampler, services, stacks)), !isOnce else { return }
      wait = 1000
    }
  }

  private func look(
    _ sampler: inout UsageSampler, _ services: [StackIndex.Place], _ stacks: [String]
  ) throws(StackErrors) -> [ServiceUsage] {
    var found: [ServiceUsage] = []
    for stack in stacks {
      for status in try statuses(of: stack)
      where services.isEmpty || services.contains(StackIndex.Place(stack: stack, service: status.name)) {
        let usage = try rethrowing("\(stack)/\(status.name)") { () throws(KernelError) in
          try sampler.sample(status)
        }
        if let usage { found.append(usage) }
      }
    }
    return found
  }

  /// Waits.
  ///
  /// - Returns: false when the user wants to stop.
  package func pause(milliseconds: CInt) -> Bool {
    var signals = pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0)
    _ = poll(&signals, 1, milliseconds)
    return !interruption.isInterrupted()
  }

  /// The processes of a service, oldest first; none when it does not run.
  package func processes(of place: StackIndex.Place) throws(StackErrors) -> [ProcessRow] {
    let pids = try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
      try ControlGroups.observe().group("stack/\(place.stack)/\(place.service)").processes()
    }
    let (now, bootedAt) = (Glibc.time(nil), ProcessRow.bootTime())
    return Set(pids).compactMap { ProcessRow(pid: $0, now: now, bootedAt: bootedAt) }
      .sorted { ($0.startedAt, $0.pid) < ($1.startedAt, $1.pid) }
  }
}
