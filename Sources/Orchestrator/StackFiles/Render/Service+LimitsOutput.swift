import Isolation

extension StackFile.Service {
  /// The keys that limit it, as people write them.
  var limitsOutput: [OutputValue.Entry] {
    let output = OutputValue.mapping([
      "mem_limit": limits.memory.map { .text("\($0)") },
      "memswap_limit": limits.memoryAndSwap.map { .text($0 == .max ? "-1" : "\($0)") },
      "mem_reservation": limits.reservedMemory.map { .text("\($0)") },
      "cpus": limits.processorQuota.map { .text(Self.processors($0)) },
      "cpu_shares": limits.processorShares.map { .number(Int($0)) },
      "cpuset": limits.processors.map { .text($0) },
      "pids_limit": limits.processes.output,
      "blkio_config": limits.blockIO.output,
    ])
    guard case .mapping(let entries) = output else { return [] }
    return entries
  }

  /// `1.5`, of microseconds in each 100 ms.
  private static func processors(_ quota: UInt64) -> String {
    let fraction = String(String(quota % 100_000 + 100_000).dropFirst())
    let digits = fraction.reversed().drop { $0 == "0" }.reversed()
    return digits.isEmpty ? "\(quota / 100_000)" : "\(quota / 100_000).\(String(digits))"
  }
}

extension ResourceLimits.ProcessLimit {
  fileprivate var output: OutputValue? {
    switch self {
    case .standard: nil
    case .none: .number(-1)
    case .exactly(let count): .number(Int(count))
    }
  }
}

extension BlockIOLimits {
  fileprivate var output: OutputValue? {
    guard !isEmpty else { return nil }
    let weights = deviceWeights.sorted { $0.key < $1.key }.map { path, weight in
      OutputValue.mapping(["path": .text(path), "weight": .number(Int(weight))])
    }
    func rates(_ kind: Rate.Kind) -> OutputValue? {
      let chosen = self.rates.filter { $0.kind == kind }
      return chosen.isEmpty
        ? nil : .list(chosen.map { .mapping(["path": .text($0.device), "rate": .number(Int($0.rate))]) })
    }
    return .mapping([
      "weight": weight.map { .number(Int($0)) },
      "weight_device": weights.isEmpty ? nil : .list(weights),
      "device_read_bps": rates(.bytesRead),
      "device_write_bps": rates(.bytesWritten),
      "device_read_iops": rates(.reads),
      "device_write_iops": rates(.writes),
    ])
  }
}
