/// A capability by its number (linux/capability.h, capabilities(7)).
public enum Capability: UInt8, CaseIterable, Sendable {
  case chown, dacOverride, dacReadSearch, fowner, fsetid, kill, setgid, setuid, setpcap, linuxImmutable, netBindService
  case netBroadcast, netAdmin, netRaw, ipcLock, ipcOwner, sysModule, sysRawio, sysChroot, sysPtrace, sysPacct, sysAdmin
  case sysBoot, sysNice, sysResource, sysTime, sysTtyConfig, mknod, lease, auditWrite, auditControl, setfcap
  case macOverride, macAdmin, syslog, wakeAlarm, blockSuspend, auditRead, perfmon, bpf, checkpointRestore

  /// `NET_RAW`: as the manual page has it, less `CAP_`.
  public var name: String {
    var name = ""
    for character in "\(self)" {
      if character.isUppercase { name.append("_") }
      name += character.uppercased()
    }
    return name
  }

  /// Reads `NET_RAW`, `CAP_NET_RAW` and either in small letters.
  public init?(name: String) {
    var wanted = name.uppercased()
    if wanted.hasPrefix("CAP_") { wanted.removeFirst(4) }
    guard let found = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
    self = found
  }
}

/// A set of capabilities, one bit each as the kernel has them.
public struct CapabilitySet: OptionSet, Codable, Hashable, Sendable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  public init(_ capabilities: some Sequence<Capability>) {
    self.init(rawValue: capabilities.reduce(0) { $0 | 1 << UInt64($1.rawValue) })
  }

  /// All capabilities: those that this program knows, and those of later kernels.
  public static let all = CapabilitySet(rawValue: .max)

  /// Docker's default set less MKNOD and AUDIT_WRITE: what an ordinary server, as root, needs of being root.
  public static let standard = CapabilitySet([
    .chown, .dacOverride, .fowner, .fsetid, .kill, .setgid, .setuid, .setpcap, .netBindService, .netRaw, .sysChroot,
    .setfcap,
  ])

  public func contains(_ capability: Capability) -> Bool {
    rawValue & 1 << UInt64(capability.rawValue) != 0
  }
}
