public import Runtime

/// What of the kernel's is set for a service by itself.
public struct DesiredSettings: Usual, Sendable {
  public var limits: [ProcessLimit] = []
  public var oomScoreAdjustment: Int32?
  /// Bytes.
  public var sharedMemorySize: UInt64?
  /// Bytes that what it writes to its root may take, and as many again for each tmpfs without a size; nil for a share of memory.
  public var writableSize: UInt64?
  /// By the path below /proc/sys.
  public var kernelParameters: [String: String] = [:]
  public var devices: [Device] = []
  public var deviceRules: [DeviceRule] = []
  public var groups: [String] = []
  public var ipc = Namespace.own
  public var pid = Namespace.own
  /// Whether it has the host's own host name.
  public var usesHostNames = false
  public var timeOffsets: TimeOffsets?

  /// A device, or a folder of them.
  public struct Device: Codable, Hashable, Sendable {
    /// On the host.
    public var path: String
    /// In the service, below /dev: `net/tun`.
    public var name: String
    public var access: DeviceRule.Access
  }

  public enum Namespace: Codable, Hashable, Sendable {
    case own
    case host
    /// That of another service.
    case service(String)
  }

  public init() {}

  /// The keys that make up a difference, as people write them.
  func difference(from before: DesiredSettings) -> [(name: String, isSame: Bool)] {
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
