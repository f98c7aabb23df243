/// The resources that one instance of a service uses at a moment. nil where the kernel does not tell.
package struct ServiceUsage: Hashable, Sendable {
  package var stack: String
  package var service: String
  /// Processors in use: 1.5 is one and a half.
  var processors: Double?
  /// Bytes.
  var memory: UInt64?
  /// Bytes that it may use: its limit, or all that the host has.
  var memoryLimit: UInt64?
  /// Bytes that came in and went out by its interfaces since they were made.
  var received: UInt64?
  var sent: UInt64?
  /// Bytes from and to block devices since it was started.
  var bytesRead: UInt64?
  var bytesWritten: UInt64?
  /// Processes and threads.
  package var processes: UInt64?
  /// The number that it may have; nil for no limit.
  package var processLimit: UInt64?

  init(stack: String, service: String) {
    self.stack = stack
    self.service = service
  }

  /// 0 to 1, and more for a moment.
  var memoryFraction: Double? {
    guard let memory, let memoryLimit, memoryLimit > 0 else { return nil }
    return Double(memory) / Double(memoryLimit)
  }
}
