import Testing

@testable import BuildIgnore
@testable import StackFiles

/// The patterns of .dockerignore and those of Go's filepath.Match.
@Suite struct IgnoreTests {
  private static func excludes(_ patterns: [String], _ path: String) throws -> Bool {
    try IgnorePatterns(patterns).verdict(Array(path.utf8)).isExcluded
  }

  @Test(arguments: [
    ("a", "a", true), ("a", "b", false), ("a", "a/b", true), ("a", "a/b/c", true), ("a", "ab", false),
    ("a", "b/a", false), ("/a", "a", true), ("a/", "a", true), ("./a", "a", true), ("b/../a", "a", true),
    ("*", "a", true), ("*", "a/b", true), ("*.log", "x.log", true), ("*.log", "a/x.log", false), ("a/*", "a", false),
    ("a/*", "a/b", true), ("a/*", "a/b/c", true), ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d/c", false),
    ("?.txt", "a.txt", true), ("?.txt", "ä.txt", true), ("?.txt", "ab.txt", false), ("a?b", "a/b", false),
    ("[a-c]", "b", true), ("[a-c]", "d", false), ("[^a-c]", "d", true), ("[^a-c]", "b", false), ("[ä-ü]", "ö", true),
    ("\\*", "*", true), ("\\*", "a", false), ("a.b", "axb", false), ("a+(b)|c$", "a+(b)|c$", true),
    ("**", "a", true), ("**", "a/b/c", true), ("**/x", "x", true), ("**/x", "a/x", true), ("**/x", "a/b/x", true),
    ("**/x", "ax", false), ("**/x", "a/x/b", true), ("**x", "ax", true), ("**/*.log", "x.log", true),
    ("**/*.log", "a/b/x.log", true), ("**/*.log", "a/b/x.txt", false), ("a/**", "a", false), ("a/**", "a/b", true),
    ("a/**", "a/b/c", true), ("a/**/c", "a/c", true), ("a/**/c", "a/x/y/c", true), ("a/**/c", "ac", false),
    ("a**/c", "ab/c", true), ("a**/c", "ab/x/c", true), ("**/a/**", "x/a/b", true), ("**/a/**", "x/a", false),
    ("**/**/x", "a/b/x", true),
    ("a/x**", "a/xyz", true), ("a*b*c", "a1b2c", true), ("a*b*c", "a1b2", false), (".*", ".git", true),
  ])
  func aPatternCoversWhatItMatchesAndAllBelow(_ pattern: String, _ path: String, _ isExcluded: Bool) throws {
    #expect(try Self.excludes([pattern], path) == isExcluded)
  }

  @Test(arguments: [
    (["*", "!a"], "a", false), (["*", "!a"], "b", true), (["a", "!a/b"], "a/b", false), (["a", "!a/b"], "a/c", true),
    (["a", "!a/b"], "a/b/c", false), (["!a", "*"], "a", true),
    (["*.md", "!README*.md", "README-x.md"], "README.md", false),
    (["*.md", "!README*.md", "README-x.md"], "README-x.md", true), (["**", "!a/b"], "a/b/c", false),
    (["**", "!a/b", "a/b/c"], "a/b/c", true), (["a", "! a/b"], "a/b", false), (["a/*", "!a/*.txt"], "a/x.txt", false),
    (["**/x", "!y/x"], "y/x", false), (["**/x", "!y/x"], "z/x", true),
  ])
  func theLastPatternThatMatchesDecides(_ patterns: [String], _ path: String, _ isExcluded: Bool) throws {
    #expect(try Self.excludes(patterns, path) == isExcluded)
  }

  @Test func aFileHasCommentsAndBlanks() {
    let list = DiagnosticList()
    let text = "\u{FEFF}# note\n\n  a  \r\n #b\n\t!a/c\t\n"
    let patterns = IgnorePatterns.read(path: ".dockerignore", bytes: Array(text.utf8), list)
    #expect(patterns.patterns.map(\.text) == ["a", "#b", "!a/c"])
    #expect(patterns.patterns.map(\.isException) == [false, false, true])
    #expect(list.sorted.isEmpty)
  }

  @Test func mistakesHaveTheirPlace() {
    let list = DiagnosticList()
    _ = IgnorePatterns.read(path: ".dockerignore", bytes: Array("a\n!\nb[\nc\\\n[z-a]\n".utf8), list)
    let text = DiagnosticRenderer().render(list.sorted)
    #expect(list.sorted.map(\.code) == [.badIgnorePattern, .badIgnorePattern, .badIgnorePattern, .badIgnorePattern])
    #expect(
      text.hasPrefix(
        """
        .dockerignore:2:1: error[E0716]: "!" is no pattern: there is nothing to take back in
          2 │ !
            │ ^
            = help: write the path behind "!"

        """))
  }

  @Test func namesNeedNotBeText() throws {
    let patterns = try IgnorePatterns(["a*", "?"])
    #expect(patterns.verdict([0x61, 0xFF]).isExcluded)
    #expect(patterns.verdict([0xFF]).isExcluded)
  }

  @Test(arguments: [
    (["a", "!a/b"], "a", true), (["a", "!b"], "a", false), (["a", "!a/*/c"], "a/x", true), (["a", "!**/c"], "a", true),
    (["a", "!*.c"], "a", true), (["a", "!ab"], "a", false), (["a"], "a", false),
  ])
  func someFoldersAreWalkedThoughTheyAreLeftOut(_ patterns: [String], _ folder: String, _ mayReturn: Bool) throws {
    #expect(try IgnorePatterns(patterns).mayReturn(below: Array(folder.utf8)) == mayReturn)
  }

  @Test func aPatternOfManyStarsIsQuick() throws {
    let pattern = Array((String(repeating: "*a", count: 60) + "b").utf8)
    #expect(try !PathPattern(pattern, takesFolders: true).matches(Array(repeating: UInt8(ascii: "a"), count: 4000)))
  }
}
