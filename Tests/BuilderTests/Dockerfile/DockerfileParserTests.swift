import Testing

@testable import Dockerfile
@testable import StackFiles

/// Lines, directives and the forms of arguments. Variables: ExpansionTests.
@Suite struct DockerfileParserTests {
  private static func values(_ text: String) -> [String] {
    Reading("FROM scratch\n\(text)\n").instructions.map { instruction in
      switch instruction.kind {
      case .run(let run): Self.text(run.command)
      case .command(let line), .entrypoint(let line): Self.text(line)
      case .workingFolder(let path): path.text
      case .environment(let pairs), .label(let pairs):
        pairs.map { "\($0.name.text)=\($0.value.text)" }.joined(separator: "|")
      case .argument(let names): names.map { "\($0.name.text)=\($0.value?.text ?? "-")" }.joined(separator: "|")
      case .copy(let copy): copy.destination.text
      default: instruction.text
      }
    }
  }

  private static func text(_ line: CommandLine) -> String {
    switch line {
    case .words(let words): words.joined(separator: "|")
    case .shell(let text): text
    }
  }

  // MARK: Lines

  @Test func instructionsAreCaseBlind() {
    let tree = Reading("from scratch\nrUn true\n").tree
    #expect(tree?.stages.first?.instructions.map(\.keyword) == ["RUN"])
  }

  @Test func aByteOrderMarkIsSkipped() {
    #expect(Reading(bytes: [0xEF, 0xBB, 0xBF] + Array("FROM scratch".utf8)).tree?.stages.count == 1)
  }

  @Test func linesMayEndAsOnWindows() {
    #expect(Self.values("RUN a \\\r\n  b\r\nWORKDIR /c\r") == ["a   b", "/c"])
  }

  @Test(arguments: [
    ("RUN a \\\n  b", "a   b"), ("RUN a \\  \n b", "a  b"), ("RUN a \\\n# note\n b", "a  b"),
    ("RUN a \\\n   # note\n b", "a  b"), ("RUN a \\\\\nWORKDIR /", "a \\\\"), ("RUN a\\\nb", "ab"), ("RUN a \\", "a"),
    ("  RUN a", "a"),
  ])
  func aLineGoesOnAfterABackslash(_ text: String, _ expected: String) {
    #expect(Self.values(text).first == expected)
  }

  @Test func anEmptyLineInAnInstructionIsSkippedWithAWarning() {
    let reading = Reading("FROM scratch\nRUN a \\\n\n  b\n")
    #expect(reading.codes == ["W0720"])
    #expect(Self.values("RUN a \\\n\n  b") == ["a   b"])
    #expect(reading.diagnostics.first?.text(of: \.line) == 3)
  }

  @Test func aLineOfMoreThan64KiBIsRefused() {
    #expect(Reading("FROM scratch\nRUN " + String(repeating: "a", count: 65_532)).codes == ["E0704"])
    #expect(Reading("FROM scratch\nRUN " + String(repeating: "a", count: 65_531)).codes == [])
  }

  @Test func aCommentStandsOnALineOfItsOwn() {
    #expect(Self.values("RUN echo a # b") == ["echo a # b"])
    #expect(Self.values("# RUN a\n   # RUN b") == [])
  }

  @Test func textThatIsNoUTF8IsRefusedWhereItMatters() {
    #expect(Reading(bytes: Array("# Gr".utf8) + [0xFC] + Array("n\nFROM scratch".utf8)).codes == [])
    #expect(Reading(bytes: Array("FROM scratch\nRUN ".utf8) + [0xFC]).codes == ["E0704"])
    #expect(Reading(bytes: Array("FROM scratch\nCOPY <<A /\n".utf8) + [0xFC, 10, 0x41, 10]).codes == ["E0704"])
  }

  // MARK: Directives

  @Test(arguments: [
    ("# escape=`\nFROM scratch\nRUN a `\nb", "a b"), ("#escape = `\nFROM scratch\nRUN a `\nb", "a b"),
    ("# ESCAPE=`\nFROM scratch\nRUN a `\nb", "a b"), ("# check=skip=all\n# escape=`\nFROM scratch\nRUN a `\nb", "a b"),
    ("# note\n# escape=`\nFROM scratch\nRUN a `", "a `"), ("\n# escape=`\nFROM scratch\nRUN a `", "a `"),
    ("# other=1\n# escape=`\nFROM scratch\nRUN a `", "a `"),
  ])
  func theEscapeCharacterIsChosenAtTheTopOnly(_ text: String, _ expected: String) {
    let reading = Reading(text)
    #expect(reading.codes == [])
    guard case .run(let run)? = reading.instructions.first?.kind else { return #expect(Bool(false)) }
    #expect(Self.text(run.command) == expected)
  }

  @Test(arguments: [
    ("docker/dockerfile", []), ("docker/dockerfile:1.7-labs", []), ("docker.io/docker/dockerfile:1", []),
    ("docker/dockerfile-upstream:master", []), ("docker/dockerfile:1@sha256:ab", []),
    ("docker/dockerfile:1 a=b", []), ("dockerfile", ["E0700"]), ("example.org/docker/dockerfile:1", ["E0700"]),
    ("tonistiigi/dockerfile:runmount", ["E0700"]),
  ])
  func onlyTheFrontendsOfDockerAreKnown(_ name: String, _ codes: [String]) {
    #expect(Reading("# syntax=\(name)\nFROM scratch").codes == codes)
  }

  @Test func directivesStandOnce() {
    #expect(Reading("# syntax=docker/dockerfile\n# syntax=docker/dockerfile:1\nFROM scratch").codes == ["E0701"])
    #expect(Reading("# escape=``\nFROM scratch").codes == ["E0701"])
  }

  // MARK: Forms of arguments

  @Test(arguments: [
    (#"CMD ["a", "b c"]"#, "a|b c"), (#"CMD [ "a" , "b" ]"#, "a|b"), (#"CMD [ ]"#, ""), (#"CMD"#, ""),
    (#"CMD ["a\n\u0041"]"#, "a\nA"), (#"CMD ['a']"#, "['a']"), (#"CMD ["a""#, #"["a""#), (#"CMD ["a"] b"#, #"["a"] b"#),
    (#"CMD [ -f /x ] || true"#, "[ -f /x ] || true"), (#"ENTRYPOINT ["a"]"#, "a"), (#"RUN ["a", "-c"]"#, "a|-c"),
    (#"RUN "a b""#, #""a b""#),
  ])
  func aListIsJSONOrTextForTheShell(_ text: String, _ expected: String) {
    #expect(Self.values(text) == [expected])
  }

  @Test(arguments: [
    ("ENV a=1 b=2", "a=1|b=2"), ("ENV a 1 b 2", "a=1 b 2"), ("ENV a   1", "a=1"), ("ENV a=", "a="),
    ("ENV a=\"b c\" d='e f'", "a=\"b c\"|d='e f'"), ("ENV a=b\\ c d=e", "a=b\\ c|d=e"), ("ENV a \"b\" c", "a=\"b\" c"),
    ("ENV a=b=c", "a=b=c"), ("LABEL a.b=c \"d e\"=f", "a.b=c|\"d e\"=f"), ("ENV a \\\n b=c", "a=b=c"),
    ("ARG a", "a=-"), ("ARG a=1 b", "a=1|b=-"), ("ARG a=\"1 2\"", "a=\"1 2\""), ("ARG a=", "a="),
  ])
  func pairsAreReadInBothForms(_ text: String, _ expected: String) {
    #expect(Self.values(text) == [expected])
  }

  // MARK: Heredocs

  private static func heredocs(_ text: String) -> [Heredoc] {
    Reading("FROM scratch\n\(text)\n").instructions.flatMap { instruction -> [Heredoc] in
      switch instruction.kind {
      case .run(let run): run.heredocs
      case .copy(let copy), .add(let copy):
        copy.sources.compactMap { if case .heredoc(let heredoc, _) = $0 { heredoc } else { nil } }
      default: []
      }
    }
  }

  @Test(arguments: [
    ("RUN <<EOF\na\nEOF", "EOF", "a\n", true), ("RUN <<'EOF'\na\nEOF", "EOF", "a\n", false),
    ("RUN <<\"EOF\"\na\nEOF", "EOF", "a\n", false), ("RUN << EOF\na\nEOF", "EOF", "a\n", true),
    ("RUN 3<<EOF cat\na\nEOF", "EOF", "a\n", true), ("RUN <<E\"O\"F\na\nEOF", "EOF", "a\n", false),
    ("RUN <<EOF\nEOF", "EOF", "", true), ("RUN <<EOF\r\na\r\nEOF\r", "EOF", "a\r\n", true),
    ("COPY <<a.conf /etc/\n$x \\\n# y\na.conf", "a.conf", "$x \\\n# y\n", true),
  ])
  func aHeredocEndsWithItsName(_ text: String, _ name: String, _ body: String, _ isExpanded: Bool) {
    let heredocs = Self.heredocs(text)
    #expect(heredocs.map(\.name) == [name])
    #expect(heredocs.map(\.content) == [body])
    #expect(heredocs.map(\.isExpanded) == [isExpanded])
  }

  @Test func severalHeredocsFollowEachOther() {
    let heredocs = Self.heredocs("COPY <<a <<-b /x/\n1\na\n\t2\n\tb")
    #expect(heredocs.map(\.content) == ["1\n", "2\n"])
    #expect(heredocs.map(\.body) == ["1\n", "\t2\n"])
  }

  @Test(arguments: [
    "RUN echo '<<EOF'", "RUN cat <<<word", "CMD cat <<EOF", "RUN [\"<<EOF\"]", "RUN echo it's <<EOF", "ENV a=<<EOF",
  ])
  func someLinesBeginNoHeredoc(_ text: String) {
    let reading = Reading("FROM scratch\n\(text)\nWORKDIR /\n")
    #expect(reading.instructions.last?.keyword == "WORKDIR", "\(reading.text)")
    #expect(Self.heredocs(text).isEmpty)
  }

  @Test func onBuildKeepsItsHeredoc() {
    let reading = Reading("FROM scratch\nONBUILD RUN <<EOF\na\nEOF\n")
    guard case .onBuild(let trigger)? = reading.instructions.first?.kind else { return #expect(Bool(false)) }
    #expect(trigger.text == "RUN <<EOF\na\nEOF")
  }

  // MARK: Flags and stages

  @Test func flagsStandBeforeArguments() {
    let reading = Reading("FROM scratch\nCOPY --from=a --chown=\"b c\" --link --exclude=x --exclude=y -- --d /e\n")
    guard case .copy(let copy)? = reading.instructions.first?.kind else {
      return #expect(Bool(false), "\(reading.text)")
    }
    #expect(copy.from?.text == "a")
    #expect(copy.owner?.text == "b c")
    #expect(copy.isLinked)
    #expect(copy.exclusions.map(\.text) == ["x", "y"])
    #expect(copy.destination.text == "/e")
  }

  @Test func healthChecksHaveDurations() {
    let text = "HEALTHCHECK --interval=1m30s --timeout=5s --start-period=0s --retries=3 CMD [\"a\"]"
    guard case .healthCheck(let check)? = Reading("FROM scratch\n\(text)").instructions.first?.kind else {
      return #expect(Bool(false))
    }
    #expect(check.command == .words(["a"]))
    #expect((check.interval, check.timeout, check.startPeriod, check.retries) == (.seconds(90), .seconds(5), nil, 3))
    guard case .healthCheck(let none)? = Reading("FROM scratch\nHEALTHCHECK none").instructions.first?.kind else {
      return #expect(Bool(false))
    }
    #expect(none.command == nil)
  }

  @Test func stagesHaveNamesAndNumbers() {
    let tree = Reading("ARG V=1\nFROM --platform=linux/amd64 a:$V as Build\nRUN x\nFROM b\nFROM build").tree
    #expect(tree?.stages.map(\.label) == ["build", "1", "2"])
    #expect(tree?.stages.map(\.base.text) == ["a:$V", "b", "build"])
    #expect(tree?.stages.first?.platform?.text == "linux/amd64")
    #expect(tree?.arguments.map(\.name.text) == ["V"])
  }

  @Test func eachMistakeIsReported() {
    #expect(Reading("FROM a AS 1\nRUM b\nCOPY c\nWORKDIR\n").codes == ["E0710", "E0703", "E0704", "E0704"])
  }
}
