import Isolation

/// Settings of the kernel that a service has for itself: sysctls, limits, devices, namespaces.
package struct DesiredSettings: Usual, Sendable {
  package var limits: [ProcessLimit] = []
  package var oomScoreAdjustment: Int32?
  /// Bytes.
  package var sharedMemorySize: UInt64?
  /// Bytes that what it writes to its root may take, and as many again for each tmpfs without a size; nil for a share of memory.
  package var writableSize: UInt64?
  /// By the path below /proc/sys.
  package var kernelParameters: [String: String] = [:]
  package var devices: [Device] = []
  package var deviceRules: [DeviceRule] = []
  package var groups: [String] = []
  package var ipc = Namespace.own
  package var pid = Namespace.own
  /// True when it has the host's own host name.
  package var usesHostNames = false
  package var timeOffsets: TimeOffsets?

  /// A device, or a folder of them.
  package struct Device: Codable, Hashable, Sendable {
    /// On the host.
    package var path: String
    /// In the service, below /dev: `net/tun`.
    package var name: String
    package var access: DeviceRule.Access

    package init(path: String, name: String, access: DeviceRule.Access) {
      self.path = path
      self.name = name
      self.access = access
    }
  }

  package enum Namespace: Codable, Hashable, Sendable {
    case own
    case host
    /// That of another service.
    case service(String)
  }

  package init() {}

  /// The keys that make up a difference, as people write them.
  package func difference(from before: DesiredSettings) -> [(name: String, isSame: Bool)] {
    [
      ("ulimits", limits == before.limits),
      ("oom_score_adj", oomScoreAdjustment == before.oomScoreAdjustment),
      ("shm_size", sharedMemorySize == before.sharedMemorySize),
      ("storage_opt", writableSize == before.writableSize),
      ("sysctls", kernelParameters == before.kernelParameters),
      ("devices", devices == before.devices && deviceRules == before.deviceRules),
      ("group_add", groups == before.groups),
      ("ipc", ipc == before.ipc), ("pid", pid == before.pid), ("uts", usesHostNames == before.usesHostNames),
      ("time_offset", timeOffsets == before.timeOffsets),
    ]
  }
}
