import Vocabulary

/// The keys of a service that set something of the kernel's for it alone.
enum SettingsKeys {
  static let keys: [KeyTable<ServiceDraft>.Key] = [
    .read("ulimits", "limits of each process: {nofile: 1024}") { field, draft in
      draft.service.settings.limits = field.processLimits()
    },
    .read("oom_score_adj", "how soon it is ended when memory runs out: -1000 to 1000") { field, draft in
      draft.service.settings.oomScoreAdjustment = field.integer(in: -1000...1000).map { Int32($0.value) }
    },
    .read("shm_size", "what /dev/shm holds; 64m") { field, draft in
      draft.service.settings.sharedMemorySize = field.memory()?.value
    },
    .read("storage_opt", "what its root and /tmp may hold of what it writes: {size: 1g}") { field, draft in
      storage.read(field, into: &draft)
    },
    .read("sysctls", "kernel parameters of its own namespaces: {net.core.somaxconn: 1024}") { field, draft in
      draft.sysctls = field.sysctls()
    },
    .read("devices", "devices of the host: /dev/fuse, /dev/sda:/dev/xvda:r") { field, draft in
      draft.service.settings.devices = field.items()?.compactMap { $0.device() } ?? []
    },
    .read("device_cgroup_rules", "devices that it may use: c 10:200 rwm") { field, draft in
      draft.service.settings.deviceRules = field.texts().compactMap { field.deviceRule($0) }
    },
    .read("group_add", "further groups, names or numbers") { field, draft in
      draft.service.settings.groups = field.texts().compactMap { field.group($0) }
    },
    .read("ipc", "private, host, or service:NAME for that service's") { field, draft in
      if field.node.scalar?.text == "none" {
        field.report(.ignoredKey, "\"ipc: none\" is as private: the namespace has a /dev/shm", at: field.span)
        return
      }
      guard let place = field.namespace(other: ["private", "shareable"]) else { return }
      draft.service.settings.ipc = place.value
      draft.sharesWith(place)
    },
    .read("pid", "host, or service:NAME for that service's processes") { field, draft in
      guard let place = field.namespace(other: ["private"]) else { return }
      draft.service.settings.pid = place.value
      draft.sharesWith(place)
    },
    .read("uts", "host: the host's own host name") { field, draft in
      guard let choice = field.choice(Names.self) else { return }
      draft.uts = choice.value == .host ? choice.span : nil
      draft.service.settings.usesHostNames = choice.value == .host
    },
    .read("cgroup", "private") { field, _ in _ = field.choice(ControlGroup.self) },
    .read("time_offset", "how far its clocks are ahead: 30d, or {monotonic: 1h, boottime: 2d}") { field, draft in
      draft.service.settings.timeOffsets = field.timeOffsets()
    },
  ]

  private static let storage = KeyTable<ServiceDraft>(
    "storage_opt",
    [
      .read("size", "bytes, for each of the two: 1g") { field, draft in
        draft.service.settings.writableSize = field.memory(atLeast: leastStorage)?.value
      }
    ])

  /// The size of the folders that are made in it.
  private static let leastStorage: UInt64 = 1 << 20

  private enum Names: String, CaseIterable { case host, own = "private" }
  private enum ControlGroup: String, CaseIterable { case own = "private" }
}

extension ServiceDraft {
  /// One that is in another's namespace is started after it, and again when that one is.
  fileprivate mutating func sharesWith(_ place: Located<DesiredSettings.Namespace>) {
    guard case .service(let name) = place.value else { return }
    neighbours.append(Located(name, place.span))
  }
}
