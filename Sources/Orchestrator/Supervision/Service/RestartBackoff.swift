/// The delay before a service that ended is started again: 100 ms, doubling up to a minute. A run of ten seconds resets
/// it.
struct RestartBackoff {
  private static let first = Duration.milliseconds(100)
  private static let longest = Duration.seconds(60)
  private static let longRun = 10.0

  private var delay = Self.first

  /// - Parameter lifetime: how many seconds the service ran this time.
  mutating func next(afterRunOf lifetime: Double) -> Duration {
    if lifetime >= Self.longRun { delay = Self.first }
    defer { delay = min(delay * 2, Self.longest) }
    return delay
  }
}
