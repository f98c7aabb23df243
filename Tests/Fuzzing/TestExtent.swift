import Glibc

/// How much of a long suite runs: the whole with `tools/test --long`, which sets STACK_LONG_TESTS, and otherwise a sample that
/// is the same each time.
public enum TestExtent {
  public static var isWhole: Bool { getenv("STACK_LONG_TESTS") != nil }

  /// The first for the whole suite, the second for the sample.
  public static func size(_ whole: Int, sample: Int) -> Int { isWhole ? whole : sample }
}
