/// Seconds that the clocks of a container's time namespace are ahead of the host's (time_namespaces(7)).
public struct TimeOffsets: Hashable, Codable, Sendable {
  public var monotonic: Int64 = 0
  public var boot: Int64 = 0

  public init(monotonic: Int64 = 0, boot: Int64 = 0) {
    self.monotonic = monotonic
    self.boot = boot
  }
}
