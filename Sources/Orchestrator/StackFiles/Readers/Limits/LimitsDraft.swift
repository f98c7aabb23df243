import Isolation

/// A service's limits while its keys are read: Compose has two places for most of them.
struct LimitsDraft {
  var memory: Located<UInt64>?
  /// `UInt64.max`: no limit.
  var memoryAndSwap: Located<UInt64>?
  var reservedMemory: Located<UInt64>?
  /// Microseconds in each 100 ms.
  var processorQuota: Located<UInt64>?
  /// `cpu_quota` and `cpu_period`, in microseconds.
  var quota: Located<Int>?
  var period: Located<Int>?
  var processorShares: Located<UInt64>?
  var processors: Located<String>?
  /// 0: no limit.
  var processes: Located<UInt64>?
  var blockIO = BlockIOLimits()
  var resources = Resources()

  /// The values of `deploy: resources:`.
  struct Resources {
    var memory: Located<UInt64>?
    var processorQuota: Located<UInt64>?
    var processes: Located<UInt64>?
    var reservedMemory: Located<UInt64>?
    var reservedProcessors: Located<UInt64>?
  }
}

extension Field {
  /// Settles what the two places say, and whether the limits go together.
  func resourceLimits(_ draft: LimitsDraft) -> ResourceLimits {
    let resources = draft.resources
    let memory = agreed(draft.memory, resources.memory, "mem_limit", "deploy.resources.limits.memory")
    let reserved = agreed(
      draft.reservedMemory, resources.reservedMemory, "mem_reservation", "deploy.resources.reservations.memory")
    let processes = agreed(draft.processes, resources.processes, "pids_limit", "deploy.resources.limits.pids")
    checkMemory(memory, reserved: reserved, swap: draft.memoryAndSwap)

    var limits = ResourceLimits()
    limits.memory = memory?.value
    limits.memoryAndSwap = memory == nil ? nil : draft.memoryAndSwap?.value
    limits.reservedMemory = reserved?.value
    var quota = draft.processorQuota
    if quota == nil, let part = draft.quota, part.value > 0 {
      quota = Located(max(1000, UInt64(part.value) * 100_000 / UInt64(draft.period?.value ?? 100_000)), part.span)
    }
    limits.processorQuota =
      agreed(quota, resources.processorQuota, "cpus", "deploy.resources.limits.cpus")?.value
    limits.processorShares = draft.processorShares?.value
    // As Kubernetes reckons what is asked for: 1024 shares for each processor.
    if limits.processorShares == nil, let quota = resources.reservedProcessors?.value {
      limits.processorShares = min(max(quota * 1024 / 100_000, 2), 262_144)
    }
    limits.processors = draft.processors?.value
    limits.processes = processes.map { $0.value == 0 ? .none : .exactly($0.value) } ?? .standard
    limits.blockIO = draft.blockIO
    return limits
  }

  private func agreed<Value: Equatable>(
    _ own: Located<Value>?, _ deploy: Located<Value>?, _ name: String, _ other: String
  ) -> Located<Value>? {
    if let own, let deploy, own.value != deploy.value {
      report(
        .limitsDisagree, "\"\(name)\" and \"\(other)\" are not the same", at: own.span,
        also: [Diagnostic.Label(deploy.span, "the other limit")], help: ["leave one of them out"])
    }
    return own ?? deploy
  }

  private func checkMemory(_ memory: Located<UInt64>?, reserved: Located<UInt64>?, swap: Located<UInt64>?) {
    if let swap, memory == nil {
      report(
        .ignoredKey, "\"memswap_limit\" has no effect without \"mem_limit\": it limits memory and swap together",
        at: swap.span)
    }
    if let swap, let memory, swap.value < memory.value {
      report(
        .limitsDisagree, "\"memswap_limit\" is less than the memory that is in it", at: swap.span,
        also: [Diagnostic.Label(memory.span, "the memory alone")],
        help: ["memswap_limit is memory and swap together: write as much as mem_limit for no swap, -1 for all there is"]
      )
    }
    if let reserved, let memory, reserved.value > memory.value {
      report(
        .limitsDisagree, "more memory is reserved than the service may use", at: reserved.span,
        also: [Diagnostic.Label(memory.span, "its limit")])
    }
  }
}
