/// A limit of each process by itself (getrlimit(2)).
public struct ProcessLimit: Hashable, Codable, Sendable {
  /// By the names that Docker and limits.conf(5) have for them.
  public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
    case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio
    case rttime

    /// RLIMIT_… of asm-generic/resource.h.
    package var number: UInt64 { UInt64(Self.allCases.firstIndex(of: self) ?? 0) }
  }

  public var kind: Kind
  /// The limit in force. `UInt64.max`: no limit.
  public var soft: UInt64
  /// The highest limit that the process may set itself.
  public var hard: UInt64

  public init(_ kind: Kind, soft: UInt64, hard: UInt64) {
    self.kind = kind
    self.soft = soft
    self.hard = hard
  }
}
