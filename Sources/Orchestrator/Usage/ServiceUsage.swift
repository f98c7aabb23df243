/// What one instance of a service uses of the host, at a moment. Nil where that cannot be told.
public struct ServiceUsage: Hashable, Sendable {
  public var stack: String
  public var service: String
  /// Processors in use: 1.5 is one and a half.
  public var processors: Double?
  /// Bytes.
  public var memory: UInt64?
  /// Bytes that it may use: its limit, or all that the host has.
  public var memoryLimit: UInt64?
  /// Bytes that came in and went out by its interfaces since they were made.
  public var received: UInt64?
  public var sent: UInt64?
  /// Bytes from and to block devices since it was started.
  public var bytesRead: UInt64?
  public var bytesWritten: UInt64?
  /// Processes and threads.
  public var processes: UInt64?

  init(stack: String, service: String) {
    self.stack = stack
    self.service = service
  }

  /// 0 to 1, and more for a moment.
  public var memoryFraction: Double? {
    guard let memory, let memoryLimit, memoryLimit > 0 else { return nil }
    return Double(memory) / Double(memoryLimit)
  }
}
