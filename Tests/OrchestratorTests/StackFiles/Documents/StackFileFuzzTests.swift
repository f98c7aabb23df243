import Fuzzing
import Testing
@testable import StackFiles

@Suite struct StackFileFuzzTests {
  private struct Bytes: FileReading {
    var bytes: [UInt8]
    func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
      guard path.hasSuffix(".stack") else { throw .missing }
      return bytes
    }
  }

  private static let words = [
    "$", "${", "}", "*env", "&a ", "<<: *env", "!reset ", ":", "- ", "[", "]", "{", "\"", "'", "\n", "\t", "#", "|\n",
    ">\n", "~", "-1", "99999999999999999999", "0", "/", "..", "\0", "\u{FEFF}", "\u{85}", "\u{2028}", "網", "true",
    "10.1.0.0/31", "x-stack: ", "services: ", "65536", "8000-1", "\\",
  ].map { Array($0.utf8) }

  /// A damaged file is a stack or has an error, and every diagnostic can be shown; what is printed of a stack is read as that stack.
  @Test func everyFileIsAStackOrHasAnError() throws {
    try Fuzz.run(.stackFile) { input in
      let bytes = input.mutant(of: [Array(ConfigTests.everything.utf8)], words: Self.words)
      let outcome = StackFileLoader(files: Bytes(bytes: bytes), environment: ["A": "1"], workingFolder: "/lab").load([
        "web.stack"
      ])
      let errors = outcome.diagnostics.filter { $0.severity == .error }
      try #require((outcome.stack == nil) == !errors.isEmpty)
      try #require(!DiagnosticRenderer().render(outcome.diagnostics).isEmpty || outcome.diagnostics.isEmpty)
      try #require(Diagnostic.jsonLines(outcome.diagnostics).split(separator: "\n").count == outcome.diagnostics.count)
      if let stack = outcome.stack {
        let again = StackFileLoader(
          files: Bytes(bytes: Array(stack.output.yaml.utf8)), environment: [:], workingFolder: "/lab"
        )
        .load(["web.stack"])
        try #require(again.stack?.output == stack.output)
      }
    }
  }
}
