/// Limits on what the processes of a group use together. nil everywhere: no limits.
public struct ResourceLimits: Hashable, Codable, Sendable {
  /// Bytes.
  public var memory: UInt64?
  /// Bytes of memory and swap together; `UInt64.max` for as much swap as there is. Nil: twice the memory, as Docker has it.
  public var memoryAndSwap: UInt64?
  /// Bytes that are taken last when memory becomes scarce.
  public var reservedMemory: UInt64?
  /// Microseconds of processor time in each period of 100 ms, of all processors together: 150,000 is one and a half.
  public var processorQuota: UInt64?
  /// The share of the processors when they are scarce, as Docker and version 1 write it: 1024 is usual, 2 to 262,144.
  public var processorShares: UInt64?
  /// The processors, as cpuset(7) lists them: `0-3,6`.
  public var processors: String?
  public var processes = ProcessLimit.standard
  public var blockIO = BlockIOLimits()

  public init() {}

  package static let processorPeriod: UInt64 = 100_000

  /// The number of processes and threads that may exist at once.
  public enum ProcessLimit: Hashable, Codable, Sendable {
    /// 2,048, where that can be had: nobody has asked for it.
    case standard
    case exactly(UInt64)
    case none

    public static let standardCount: UInt64 = 2048
  }
}

/// Limits on a group's use of block devices.
public struct BlockIOLimits: Hashable, Codable, Sendable {
  /// 10 to 1,000; 500 is usual.
  public var weight: UInt64?
  /// By the device's path on the host.
  public var deviceWeights: [String: UInt64] = [:]
  public var rates: [Rate] = []

  public init() {}

  public struct Rate: Hashable, Codable, Sendable {
    public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
      case bytesRead, bytesWritten, reads, writes
    }
    public var kind: Kind
    /// The device's path on the host.
    public var device: String
    /// Bytes, or operations, a second.
    public var rate: UInt64

    public init(_ kind: Kind, device: String, rate: UInt64) {
      self.kind = kind
      self.device = device
      self.rate = rate
    }
  }

  public var isEmpty: Bool { weight == nil && deviceWeights.isEmpty && rates.isEmpty }
}
