import Testing
@testable import StackFiles
@testable import Vocabulary

@Suite struct ScalarTests {
  @Test(
    arguments: [
      ("", .null), ("~", .null), ("null", .null), ("Null", .null), ("nULL", .text), ("true", .bool(true)),
      ("False", .bool(false)), ("yes", .text), ("off", .text), ("0", .int(0)), ("-12", .int(-12)), ("+7", .int(7)),
      ("0755", .int(755)), ("0o755", .int(0o755)), ("0xFF", .int(255)), ("0b1", .text), ("1_000", .text),
      ("99999999999999999999", .int(nil)), ("1.5", .float), (".5", .float), ("1.", .float), ("1e3", .float),
      ("1e", .text),
      (".inf", .float), ("-.Inf", .float), (".nan", .float), (".", .text), ("-", .text), ("22:22", .text), ("٣", .text),
    ] as [(String, CoreSchema.Value)])
  func coreSchema(_ text: String, _ value: CoreSchema.Value) {
    #expect(CoreSchema.value(of: Node.Scalar(text: text, isPlain: true)) == value)
    #expect(CoreSchema.value(of: Node.Scalar(text: text, isPlain: false)) == .text)
  }

  @Test(
    arguments: [
      ("0", .zero), ("10s", .seconds(10)), ("1m30s", .seconds(90)), ("1h", .seconds(3600)),
      ("1.5s", .milliseconds(1500)),
      ("500ms", .milliseconds(500)), ("100us", .microseconds(100)), ("100µs", .microseconds(100)),
      ("7ns", .nanoseconds(7)), (".5m", .seconds(30)), ("1d", .seconds(86400)),
      ("1.000000001s", .nanoseconds(1_000_000_001)),
    ] as [(String, Duration)])
  func durations(_ text: String, _ duration: Duration) throws {
    #expect(try DurationText.parse(text) == duration)
  }

  @Test(arguments: [
    "", "10", "s", "1x", "-1s", "+1s", "1s ", " 1s", "1.s.", "1e3s", "1000000000000000000000000000000s", "300000w",
    "9223372036854775807h", "1h2", ".s",
  ])
  func noDurations(_ text: String) {
    #expect(throws: DurationText.Problem.self) { try DurationText.parse(text) }
  }

  @Test(arguments: ["0s", "1s", "1m30s", "1h1m1s", "1ms", "1s500ms", "7ns"])
  func durationsAsText(_ text: String) throws {
    #expect(DurationText.text(try DurationText.parse(text)) == text)
  }

  @Test(
    arguments: [
      ("SIGTERM", 15, "SIGTERM"), ("term", 15, "SIGTERM"), ("9", 9, "SIGKILL"), ("SIGRTMIN", 34, "SIGRTMIN"),
      ("RTMIN+3", 37, "SIGRTMIN+3"), ("SIGRTMAX-1", 63, "SIGRTMIN+29"), ("RTMAX", 64, "SIGRTMIN+30"), ("33", 33, "33"),
      ("SIGCLD", 17, "SIGCHLD"),
    ] as [(String, CInt, String)])
  func signals(_ text: String, _ number: CInt, _ name: String) throws {
    let signal = try #require(Signal(text))
    #expect(signal.number == number)
    #expect(signal.description == name)
    #expect(Signal(signal.description) == signal)
  }

  @Test(arguments: [
    "", "0", "65", "-1", "+9", "SIG", "SIGNOPE", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMIN+", "RTMIN+x", "9.0",
  ])
  func noSignals(_ text: String) {
    #expect(Signal(text) == nil)
  }

  @Test(
    arguments: [
      ("nginx", ["nginx"]), ("  a\tb\n c ", ["a", "b", "c"]), ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
      ("a''b", ["ab"]), ("''", [""]), ("a \"\" b", ["a", "", "b"]), (#"a\ b"#, ["a b"]), (#""a\"b""#, [#"a"b"#]),
      (#"'a\b'"#, [#"a\b"#]), (#"a\nb"#, ["a\nb"]), ("sh -c 'echo hi; exit 3'", ["sh", "-c", "echo hi; exit 3"]),
      ("sh -c \"a && b\"", ["sh", "-c", "a && b"]), ("", []), ("#a", ["#a"]), ("a=$b", ["a=$b"]),
    ] as [(String, [String])])
  func shellWords(_ text: String, _ words: [String]) throws {
    #expect(try ShellWords.split(text) == words)
  }

  @Test(
    arguments: [
      ("a 'b", .unclosed("'"), 2), ("a \"b", .unclosed("\""), 2), ("a\\", .trailingBackslash, 1),
      ("a | b", .shellOperator("|"), 2), ("a; b", .shellOperator(";"), 1), ("é > b", .shellOperator(">"), 3),
      ("a $(b)", .shellOperator("("), 3), ("a `b`", .shellOperator("`"), 2),
    ] as [(String, ShellWords.Problem.Kind, Int)])
  func noShellWords(_ text: String, _ kind: ShellWords.Problem.Kind, _ offset: Int) {
    do {
      _ = try ShellWords.split(text)
      Issue.record("\(text) was split")
    } catch {
      #expect(error.kind == kind)
      #expect(error.offset == offset)
    }
  }

  @Test(arguments: [
    ("web", true, true), ("web1", true, true), ("1web", true, true), ("a_b-c", true, true), ("a.b", false, true),
    ("Web", false, true), ("", false, false), (".", false, false), ("..", false, false), ("../x", false, false),
    ("-a", false, false), ("_a", false, false), ("a b", false, false), ("a\0b", false, false), ("a\nb", false, false),
    ("é", false, false), (String(repeating: "a", count: 63), true, true),
    (String(repeating: "a", count: 64), false, false),
    (String(repeating: "a", count: 4096), false, false),
  ])
  func names(_ name: String, _ isStack: Bool, _ isObject: Bool) {
    #expect((NameRule.stack.problem(with: name) == nil) == isStack)
    #expect((NameRule.object.problem(with: name) == nil) == isObject)
  }
}
