import Isolation

/// The keys of a service that say how much of the host it may use.
enum LimitsKeys {
  static let keys: [KeyTable<ServiceDraft>.Key] = [
    .read("mem_limit", "the most memory that it may use: 512m") { field, draft in
      draft.limits.memory = field.memory(atLeast: leastMemory)
    },
    .read("memswap_limit", "the most memory and swap together; -1 for all the swap there is") { field, draft in
      draft.limits.memoryAndSwap = field.isMinusOne ? Located(.max, field.span) : field.memory()
    },
    .read("mem_reservation", "memory that is taken from it last") { field, draft in
      draft.limits.reservedMemory = field.memory()
    },
    .read("cpus", "how many processors' time it may use: 0.5") { field, draft in
      draft.limits.processorQuota = field.processorQuota()
    },
    .read("cpu_quota", "microseconds of a processor's time in each cpu_period") { field, draft in
      draft.limits.quota = field.integer(in: -1...1_000_000_000)
    },
    .read("cpu_period", "the microseconds that cpu_quota is for; 100000") { field, draft in
      draft.limits.period = field.periodInMicroseconds()
    },
    .read("cpu_shares", "its share of the processors when they are scarce; 1024") { field, draft in
      guard let shares = field.integer(in: 0...262_144) else { return }
      guard shares.value != 1 else {
        field.report(.numberOutOfRange, "\"cpu_shares\" must be 2 to 262144", "1 is not")
        return
      }
      draft.limits.processorShares = shares.value == 0 ? nil : shares.map { UInt64($0) }
    },
    .read("cpuset", "which processors it runs on: 0-3,6") { field, draft in
      draft.limits.processors = field.processorList()
    },
    .read("pids_limit", "how many processes it may have; 2048, -1 for any number") { field, draft in
      draft.limits.processes = field.processCount()
    },
    .read("blkio_config", "what it may do to block devices") { field, draft in
      blockIO.read(field, into: &draft.limits.blockIO)
    },
  ]

  /// The memory that a process needs to start at all, as with Docker.
  static let leastMemory: UInt64 = 6 << 20

  // MARK: deploy: resources:

  static let resources = KeyTable<LimitsDraft.Resources>(
    "resources",
    [
      .read("limits", "the most that it may use") { field, resources in limits.read(field, into: &resources) },
      .read("reservations", "what it is to have in any case") { field, resources in
        reservations.read(field, into: &resources)
      },
    ])

  private static let limits = KeyTable<LimitsDraft.Resources>(
    "limit",
    [
      .read("cpus", "how many processors' time: '0.5'") { field, resources in
        resources.processorQuota = field.processorQuota()
      },
      .read("memory", "512M") { field, resources in resources.memory = field.memory(atLeast: leastMemory) },
      .read("pids", "how many processes") { field, resources in resources.processes = field.processCount() },
    ])

  private static let reservations = KeyTable<LimitsDraft.Resources>(
    "reservation",
    [
      .read("cpus", "its share of the processors when they are scarce: '0.5'") { field, resources in
        resources.reservedProcessors = field.processorQuota()
      },
      .read("memory", "memory that is taken from it last") { field, resources in
        resources.reservedMemory = field.memory()
      },
      .notSupported("devices", "name devices with the service's `devices:`"),
      .ignored("generic_resources", "it is for Swarm"),
    ])

  // MARK: blkio_config:

  private static let blockIO = KeyTable<BlockIOLimits>(
    "blkio_config",
    [
      .read("weight", "its share when they are scarce, 10 to 1000; 500") { field, limits in
        limits.weight = field.blockWeight()
      },
      .read("weight_device", "its share of single devices") { field, limits in
        for item in field.items() ?? [] {
          var draft = DeviceDraft()
          weights.read(item, into: &draft)
          guard let device = item.device(of: draft), let weight = draft.weight else {
            item.reportMissing("weight", draft)
            continue
          }
          limits.deviceWeights[device] = weight
        }
      },
      .read("device_read_bps", "bytes read from a device in a second") { field, limits in
        field.readRates(.bytesRead, into: &limits)
      },
      .read("device_write_bps", "bytes written to a device in a second") { field, limits in
        field.readRates(.bytesWritten, into: &limits)
      },
      .read("device_read_iops", "reads from a device in a second") { field, limits in
        field.readRates(.reads, into: &limits)
      },
      .read("device_write_iops", "writes to a device in a second") { field, limits in
        field.readRates(.writes, into: &limits)
      },
    ])

  fileprivate struct DeviceDraft {
    var path: String?
    var weight: UInt64?
    var rate: UInt64?
  }

  private static let path = KeyTable<DeviceDraft>.Key.read("path", "the device: /dev/sda") { field, draft in
    draft.path = field.nonEmptyText().flatMap { field.servicePath($0, what: "a device's path") }?.value
  }

  private static let weights = KeyTable<DeviceDraft>(
    "device", [path, .read("weight", "10 to 1000") { field, draft in draft.weight = field.blockWeight() }])

  fileprivate static let bytes = KeyTable<DeviceDraft>(
    "device", [path, .read("rate", "bytes in a second: 10m") { field, draft in draft.rate = field.memory()?.value }])

  fileprivate static let operations = KeyTable<DeviceDraft>(
    "device",
    [
      path,
      .read("rate", "how many in a second") { field, draft in
        draft.rate = field.integer(in: 1...Int(UInt32.max)).map { UInt64($0.value) }
      },
    ])
}

extension Field {
  /// `100000`, or a duration: `100ms`.
  fileprivate func periodInMicroseconds() -> Located<Int>? {
    if let text = node.scalar?.text, Int(text) == nil, let duration = duration(atLeast: .milliseconds(1)) {
      let parts = duration.components
      return Located(Int(parts.seconds) * 1_000_000 + Int(parts.attoseconds / 1_000_000_000_000), span)
    }
    return integer(in: 1000...1_000_000)
  }

  fileprivate func blockWeight() -> UInt64? { integer(in: 10...1000).map { UInt64($0.value) } }

  fileprivate func device(of draft: LimitsKeys.DeviceDraft) -> String? {
    if draft.path == nil, node.entries != nil, node["path"] == nil { report(.missingKey, "a device needs a \"path\"") }
    return draft.path
  }

  fileprivate func reportMissing(_ key: String, _ draft: LimitsKeys.DeviceDraft) {
    if draft.path != nil, node[key] == nil { report(.missingKey, "a device needs a \"\(key)\"") }
  }

  fileprivate func readRates(_ kind: BlockIOLimits.Rate.Kind, into limits: inout BlockIOLimits) {
    let isBytes = kind == .bytesRead || kind == .bytesWritten
    for item in items() ?? [] {
      var draft = LimitsKeys.DeviceDraft()
      (isBytes ? LimitsKeys.bytes : LimitsKeys.operations).read(item, into: &draft)
      guard let device = item.device(of: draft), let rate = draft.rate else {
        item.reportMissing("rate", draft)
        continue
      }
      limits.rates.append(BlockIOLimits.Rate(kind, device: device, rate: rate))
    }
  }
}
