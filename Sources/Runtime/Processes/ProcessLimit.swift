import CLinux
import Glibc
import Kernel

/// A limit of each process by itself (getrlimit(2)).
public struct ProcessLimit: Hashable, Codable, Sendable {
  /// By the names that Docker and limits.conf(5) have for them.
  public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
    case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio
    case rttime

    /// RLIMIT_… of asm-generic/resource.h.
    var number: UInt64 { UInt64(Self.allCases.firstIndex(of: self) ?? 0) }
  }

  public var kind: Kind
  /// What counts. `UInt64.max`: no limit.
  public var soft: UInt64
  /// How far the process may raise it.
  public var hard: UInt64

  public init(_ kind: Kind, soft: UInt64, hard: UInt64) {
    self.kind = kind
    self.soft = soft
    self.hard = hard
  }
}

extension Program {
  /// Raises what is beyond the caller's own, while there is still the right to.
  mutating func raise(_ limits: [ProcessLimit]) throws(KernelError) {
    for limit in limits {
      var own = rlimit()
      let kind = __rlimit_resource_t(UInt32(limit.kind.number))
      try check("read the ulimit", limit.kind.rawValue) { getrlimit(kind, &own) }
      if UInt64(own.rlim_max) >= limit.hard { continue }
      let data = values([rlimit(rlim_cur: own.rlim_cur, rlim_max: rlim_t(limit.hard))])
      try add(
        STACK_OP_LIMIT, for: "raise the ulimit",
        "\(limit.kind.rawValue) beyond the \(own.rlim_max) that stack itself may have", flags: limit.kind.number,
        data: data)
    }
  }

  mutating func limit(_ limits: [ProcessLimit]) throws(KernelError) {
    for limit in limits {
      let data = values([rlimit(rlim_cur: rlim_t(limit.soft), rlim_max: rlim_t(limit.hard))])
      try add(
        STACK_OP_LIMIT, for: "set the ulimit", "\(limit.kind.rawValue) to \(limit.soft):\(limit.hard)",
        flags: limit.kind.number, data: data)
    }
  }
}
