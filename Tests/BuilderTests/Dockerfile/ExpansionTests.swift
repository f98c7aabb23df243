import Testing

@testable import Dockerfile
@testable import StackFiles

/// Variables, quotes and escapes.
@Suite struct ExpansionTests {
  private static let values = ["a": "1", "path": "/usr/local/lib/x.tar.gz", "empty": "", "b": "x y", "u": "äöü"]

  private static func expand(
    _ text: String, escape: UInt8 = UInt8(ascii: "\\"), values: [String: String] = Self.values
  ) throws -> String {
    let file = SourceFile(path: "Dockerfile", bytes: Array(text.utf8))
    return try UnexpandedText(text, Span(file, 0..<text.utf8.count)).expanded(escape: escape) { values[$0] }.text
  }

  @Test(arguments: [
    ("$a", "1"), ("${a}", "1"), ("x$a-$a", "x1-1"), ("$ab", ""), ("${a}b", "1b"), ("\\$a", "$a"), ("'$a'", "$a"),
    ("\"$a\"", "1"), ("\"\\$a\"", "$a"), ("$", "$"), ("a$", "a$"), ("$.", "$."), ("$(x)", "$(x)"),
    ("a\\b", "ab"), ("\"a\\b\"", "a\\b"), ("\"a\\\"b\"", "a\"b"), ("'a\\b'", "a\\b"), ("a\\", "a"), ("a b", "a b"),
    ("$b", "x y"), ("ä$u", "ääöü"), ("<<$a", "<<1"),
  ])
  func wordsAreExpanded(_ text: String, _ expected: String) throws {
    #expect(try Self.expand(text) == expected)
  }

  @Test(arguments: [
    ("${no:-d}", "d"), ("${empty:-d}", "d"), ("${a:-d}", "1"), ("${no-d}", "d"), ("${empty-d}", ""), ("${a-d}", "1"),
    ("${no:+d}", ""), ("${empty:+d}", ""), ("${a:+d}", "d"), ("${no+d}", ""), ("${empty+d}", "d"), ("${a+d}", "d"),
    ("${a:?m}", "1"), ("${empty?m}", ""), ("${no:-$a}", "1"), ("${no:-${also:-e}}", "e"), ("${no:-'}'}", "}"),
    ("${no:-a b}", "a b"), ("${no:-}", ""), ("${no:-\\}}", "}"),
  ])
  func defaultsAndAlternatives(_ text: String, _ expected: String) throws {
    #expect(try Self.expand(text) == expected)
  }

  @Test(arguments: [
    ("${path#/*/}", "local/lib/x.tar.gz"), ("${path##*/}", "x.tar.gz"), ("${path%.*}", "/usr/local/lib/x.tar"),
    ("${path%%.*}", "/usr/local/lib/x"), ("${path#/usr}", "/local/lib/x.tar.gz"),
    ("${path#usr}", "/usr/local/lib/x.tar.gz"),
    ("${path/l/L}", "/usr/Local/lib/x.tar.gz"), ("${path//l/L}", "/usr/LocaL/Lib/x.tar.gz"),
    ("${path/\\/usr/}", "/local/lib/x.tar.gz"), ("${path//\\//-}", "-usr-local-lib-x.tar.gz"), ("${u#?}", "öü"),
    ("${u%?}", "äö"), ("${path/l*l/X}", "/usr/Xib/x.tar.gz"), ("${no#x}", ""),
    ("${path//zz/y}", "/usr/local/lib/x.tar.gz"),
  ])
  func patterns(_ text: String, _ expected: String) throws {
    #expect(try Self.expand(text) == expected)
  }

  @Test(arguments: [
    "${a", "${}", "${a:}", "${a^}", "${:a}", "'a", "\"a", "${no:?it is needed}", "${empty:?}", "${no?}", "${a/b}",
    "${a:-b", "${path#\\a}",
  ])
  func mistakesAreReported(_ text: String) {
    #expect(throws: Diagnostic.self) { try Self.expand(text) }
  }

  @Test func theEscapeCharacterIsTheFiles() throws {
    #expect(try Self.expand("`$a\\b", escape: UInt8(ascii: "`")) == "$a\\b")
  }

  @Test func aHeredocsContentHasNoQuotes() throws {
    let file = SourceFile(path: "Dockerfile", bytes: [])
    let heredoc = Heredoc(name: "E", body: "\"$a\" '$a' \\$a\n", isExpanded: true, stripsTabs: false)
    #expect(try heredoc.expanded(at: Span(file, 0..<0)) { Self.values[$0] } == "\"1\" '1' $a\n")
    let quoted = Heredoc(name: "E", body: "$a\n", isExpanded: false, stripsTabs: false)
    #expect(try quoted.expanded(at: Span(file, 0..<0)) { Self.values[$0] } == "$a\n")
  }

  @Test func aPatternOfManyStarsIsQuick() throws {
    let pattern = try #require(ShellPattern(String(repeating: "*a", count: 40) + "b"))
    let value = String(repeating: "a", count: 4000)
    #expect(pattern.removingPrefix(of: value, longest: true) == value)
    #expect(pattern.replacing(in: value, with: "x", each: true) == value)
  }

  /// Each match begins anew from the next place, without going through the rest of the value again.
  @Test func aPatternIsMatchedAtManyPlacesQuickly() throws {
    let value = String(repeating: "ab", count: 100_000)
    let pattern = try #require(ShellPattern("b*c"))
    #expect(pattern.replacing(in: value, with: "x", each: true) == value)
    let line = String(repeating: "a\n", count: 1000)
    #expect(try #require(ShellPattern("*")).replacing(in: line, with: "-", each: true).count == 2001)
  }

  @Test func matchingHasALimit() throws {
    let pattern = String(repeating: "?", count: 100)
    let values = ["a": String(repeating: "a", count: 200_000), "b": "b"]
    for text in ["${a//\(pattern)/x}", "${a#\(pattern)}", "${a%%\(pattern)}"] {
      let error = try #require(throws: Diagnostic.self) { try Self.expand(text, values: values) }
      #expect("\(error)".contains("more than 16 Mi"), "\(text.prefix(8)): \(error)")
      #expect(try Self.expand(text.replacing("{a", with: "{b"), values: values) == "b")
    }
  }
}
