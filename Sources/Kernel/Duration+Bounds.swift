extension Duration {
  /// 292 years, the longest that a stack file can say: what no clock overflows at.
  private static let longest = Duration.nanoseconds(Int64.max)

  /// Seconds that come out of a message or a file, where they may be any number: none below zero, and no more than
  /// thirty years.
  package static func seconds(bounded seconds: Double) -> Duration {
    .seconds(seconds > 0 ? min(seconds, 1e9) : 0)
  }

  /// The same, from zero to 292 years: of what a damaged state file holds, not even the seconds can be asked for.
  package var bounded: Duration { min(max(self, .zero), Self.longest) }
}
