import StackFiles

/// The paths that a context leaves out: what a `.dockerignore` says.
///
/// The last pattern that matches decides. A pattern covers all that lies below what it matches. Unlike in git, `!`
/// takes back in what lies below a folder that is left out. Source: moby/patternmatcher.
package struct IgnorePatterns: Sendable {
  package struct Pattern: Sendable {
    package var text: String
    package var isException: Bool
    /// The line of the file. Nil for a pattern of elsewhere.
    package var span: Span?
    var pattern: PathPattern
  }

  /// The patterns' verdict on one path, and what must be known for those below it.
  package struct Verdict: Sendable {
    package var isExcluded: Bool
    /// The index of the pattern that decided.
    package var decider: Int?
    fileprivate var matches: [Bool]
  }

  package private(set) var patterns: [Pattern] = []

  /// Leaves nothing out.
  package init() {}

  package var isEmpty: Bool { patterns.isEmpty }

  /// True if some pattern takes paths back in.
  package var hasExceptions: Bool { patterns.contains { $0.isException } }

  mutating func append(_ pattern: Pattern) { patterns.append(pattern) }

  /// The verdict about the root, which is never left out.
  package var root: Verdict {
    Verdict(isExcluded: false, decider: nil, matches: [Bool](repeating: false, count: patterns.count))
  }

  /// - Parameters:
  ///   - path: Relative to the context's root, without `.` and `..`.
  ///   - parent: The verdict about the folder that holds it.
  package func verdict(_ path: [UInt8], below parent: Verdict) -> Verdict {
    var verdict = Verdict(
      isExcluded: false, decider: nil, matches: [Bool](repeating: false, count: patterns.count))
    for (index, pattern) in patterns.enumerated() {
      if !parent.matches[index] {
        // An exception has nothing to take back, or a path is left out already.
        guard pattern.isException == verdict.isExcluded, pattern.pattern.matches(path) else { continue }
      }
      verdict.matches[index] = true
      verdict.isExcluded = !pattern.isException
      verdict.decider = index
    }
    return verdict
  }

  /// The verdict about a path by itself.
  package func verdict(_ path: [UInt8]) -> Verdict {
    var verdict = root
    for end in path.indices where path[end] == UInt8(ascii: "/") {
      verdict = self.verdict(Array(path[..<end]), below: verdict)
    }
    return self.verdict(path, below: verdict)
  }

  /// True if something below a folder that is left out may be taken back in.
  package func mayReturn(below folder: [UInt8]) -> Bool {
    let below = folder + [UInt8(ascii: "/")]
    return patterns.contains { pattern in
      guard pattern.isException else { return false }
      let head = pattern.pattern.literalHead
      return pattern.pattern.isLiteral ? head.starts(with: below) : head.starts(with: below) || below.starts(with: head)
    }
  }
}
