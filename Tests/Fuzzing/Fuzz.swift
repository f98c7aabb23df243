import Glibc

/// Runs something with one seed after another. An ordinary run takes the same sample of cases each time, from seed 1; `tools/fuzz`
/// and `tools/test --long` go on for as long as there is time.
///
/// - STACK_FUZZ_SECONDS: for all targets together; ten minutes with `tools/test --long`
/// - STACK_FUZZ_SEED: the first seed
/// - STACK_FUZZ_ONLY: the one target to run
public enum Fuzz {
  /// A failed check, with the case that repeats it.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Cases of a target that an ordinary run takes, and that any run takes however little time there is.
  private static let sample = 250

  /// Calls `body` with one case after another; a case that throws is the last, and named in what is thrown.
  ///
  /// One that crashes, or goes on for a minute, ends the process with its name on standard error.
  ///
  /// - Returns: how many cases there were.
  @discardableResult
  public static func run(_ target: FuzzTarget, _ body: (inout FuzzCase) throws -> Void) throws -> Int {
    let only = text("STACK_FUZZ_ONLY")
    guard only == nil || only == target.rawValue else { return 0 }
    let shares = only == nil ? FuzzTarget.allCases.count : 1
    let seconds = text("STACK_FUZZ_SECONDS").flatMap { Int($0) }
    let milliseconds = (seconds ?? TestExtent.size(600, sample: 0)) * 1000 / shares
    let first = text("STACK_FUZZ_SEED").flatMap { UInt64($0) } ?? 1
    // With no time at all given, it is the one seed that is wanted.
    let atLeast = seconds == 0 ? 1 : sample
    let deadline = ContinuousClock.now + .milliseconds(milliseconds)
    let watch = FuzzWatch.begin(target)
    defer { FuzzWatch.end(target) }
    var count = 0
    while count < atLeast || ContinuousClock.now < deadline {
      var input = FuzzCase(target, seed: first &+ UInt64(count))
      watch.note(input.seed)
      do {
        try body(&input)
      } catch {
        throw Failure(description: "\(error)\n  again: \(input)")
      }
      count += 1
    }
    return count
  }

  private static func text(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
}
