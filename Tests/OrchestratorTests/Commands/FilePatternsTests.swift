import Testing
@testable import Orchestrator

/// Patterns of `develop: watch: ignore:`.
@Suite struct FilePatternsTests {
  @Test(arguments: [
    ("*.log", "a.log", true), ("*.log", "b/a.log", false), ("**/*.log", "b/a.log", true), ("**/*.log", "a.log", true),
    ("node_modules/", "node_modules/x/y", true), ("a/**/z", "a/z", true), ("a/**/z", "a/b/c/z", true),
    ("a/**/z", "b/z", false), ("?.c", "ä.c", true), ("?.c", "ab.c", false), ("./a", "a", true), ("**", "a/b", true),
  ])
  func aPathFits(_ pattern: String, _ path: String, _ fits: Bool) {
    #expect(FilePatterns([pattern]).contains(path) == fits)
  }

  @Test func theLastPatternThatFitsDecides() {
    let patterns = FilePatterns(["*.log", "!keep.log"])
    #expect(patterns.contains("a.log") && !patterns.contains("keep.log"))
  }

  /// Whoever may make files in a watched folder chooses their names.
  @Test func aPatternOfManyStarsIsQuick() {
    let name = String(repeating: "a", count: 250)
    #expect(!FilePatterns([String(repeating: "*a", count: 40) + "b"]).contains(name))
    let path = Array(repeating: "a", count: 500).joined(separator: "/")
    #expect(!FilePatterns([String(repeating: "**/a/", count: 40) + "b"]).contains(path))
  }
}
