import Glibc

/// The part of a long suite that runs: a sample that is the same each time, or the whole.
///
/// `tools/test --long` runs the whole. It sets STACK_LONG_TESTS.
public enum TestExtent {
  public static var isWhole: Bool { getenv("STACK_LONG_TESTS") != nil }

  /// The first for the whole suite, the second for the sample.
  public static func size(_ whole: Int, sample: Int) -> Int { isWhole ? whole : sample }
}
