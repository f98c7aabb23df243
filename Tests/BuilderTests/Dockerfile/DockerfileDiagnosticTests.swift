import Testing

@testable import Dockerfile
@testable import StackFiles

/// The printed text of each mistake in a Dockerfile.
@Suite struct DockerfileDiagnosticTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var code: DiagnosticCode
    var file: String
    var shows: String

    init(_ code: DiagnosticCode, _ file: String, _ shows: String) {
      (self.code, self.file, self.shows) = (code, file, shows)
    }

    var testDescription: String { code.rawValue }
  }

  static let cases: [Case] = [
    Case(
      .foreignFrontend, "# syntax=docker/dockerfyle:1\nFROM a",
      """
      Dockerfile:1:10: error[E0700]: the file is to be read by "docker/dockerfyle:1", a program that stack does not run
        1 │ # syntax=docker/dockerfyle:1
          │          ^^^^^^^^^^^^^^^^^^^ did you mean "docker/dockerfile"?
          = help: if it is a usual Dockerfile, remove this line

      """),
    Case(
      .badDirective, "# escape=^\nFROM a",
      """
      Dockerfile:1:10: error[E0701]: "^" cannot be the escape character
        1 │ # escape=^
          │          ^
          = help: write a backslash or a backtick

      """),
    Case(
      .emptyDockerfile, "ARG a",
      """
      Dockerfile: error[E0702]: the file has no FROM
        = help: add the image to build upon: FROM debian:12

      """),
    Case(
      .unknownInstruction, "FROM a\nCOPPY b c",
      """
      Dockerfile:2:1: error[E0703]: there is no instruction "COPPY"
        2 │ COPPY b c
          │ ^^^^^ did you mean "COPY"?

      """),
    Case(
      .badInstruction, "FROM a\nENV a=1 b",
      """
      Dockerfile:2:9: error[E0704]: "b" has no "="
        2 │ ENV a=1 b
          │         ^
          = help: write name=value, and quote values that hold blanks

      """),
    Case(
      .badJSONForm, "FROM a\nCMD [\"sleep\", 1]",
      """
      Dockerfile:2:5: error[E0705]: the list holds something that is no text
        2 │ CMD ["sleep", 1]
          │     ^^^^^^^^^^^^
          = help: put every word between double quotes

      """),
    Case(
      .openHeredoc, "FROM a\nRUN x <<EOF\ny\n",
      """
      Dockerfile:2:1: error[E0706]: the heredoc "EOF" does not end
        2 │ RUN x <<EOF
          │ ^^^^^^^^^^^
          = help: end it with a line that is EOF and nothing else
          = help: if no heredoc is meant, quote the <<

      """),
    Case(
      .unknownFlag, "FROM a\nCOPY \\\n  --chwon=b c d",
      """
      Dockerfile:3:3: error[E0707]: COPY has no flag --chwon
        3 │   --chwon=b c d
          │   ^^^^^^^^^ did you mean "chown"?
          = help: its flags: --chmod --chown --exclude --from --link --parents

      """),
    Case(
      .badFlagValue, "FROM a\nRUN --mount=type=cache,target=/c,sharing=lokced x",
      """
      Dockerfile:2:13: error[E0708]: sharing cannot be "lokced"
        2 │ RUN --mount=type=cache,target=/c,sharing=lokced x
          │             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean "locked"?
          = help: one of: shared, private, locked

      """),
    Case(
      .badExpansion, "FROM a\nENV b=x${c",
      """
      Dockerfile:2:8: error[E0709]: cannot expand "x${c": a "}" is missing
        2 │ ENV b=x${c
          │        ^^^

      """),
    Case(
      .badStageName, "FROM a AS 2",
      """
      Dockerfile:1:11: error[E0710]: "2" cannot be the name of a stage
        1 │ FROM a AS 2
          │           ^
          = help: begin with a letter; digits, "-", "_" and "." may follow

      """),
    Case(
      .unknownStage, "FROM a\nFROM b\nCOPY --from=3 c d",
      """
      Dockerfile:3:13: error[E0711]: there is no stage 3
        3 │ COPY --from=3 c d
          │             ^
          = help: the stages that may be named here: 0

      """),
    Case(
      .stageCycle, "FROM a AS b\nCOPY --from=b c d",
      """
      Dockerfile:2:13: error[E0712]: stage b takes files from itself
        2 │ COPY --from=b c d
          │             ^
          = help: take them from an earlier stage, or copy within the stage: RUN cp

      """),
    Case(
      .notBuilt, "FROM a\nRUN --mount=type=ssh x",
      """
      Dockerfile:2:13: error[E0713]: stack gives builds no ssh agent
        2 │ RUN --mount=type=ssh x
          │             ^^^^^^^^
          = help: copy what the step fetches into the context, or give it a token: --mount=type=secret,id=token

      """),
    Case(
      .badTrigger, "FROM a\nONBUILD FROM b",
      """
      Dockerfile:2:9: error[E0714]: FROM cannot stand behind ONBUILD
        2 │ ONBUILD FROM b
          │         ^^^^
          = help: write the instruction that images built FROM this one are to begin with

      """),
    Case(
      .outsideStage, "RUN b\nFROM a",
      """
      Dockerfile:1:1: error[E0715]: RUN stands before the first FROM
        1 │ RUN b
          │ ^^^
          = help: only ARG may stand there: move this line below FROM

      """),
    Case(
      .emptyContinuation, "FROM a\nRUN b \\\n\n  c",
      """
      Dockerfile:3:1: warning[W0720]: an instruction goes on after an empty line
        3 │
          │ ^
          = help: remove the empty line, or the \\ before it

      """),
    Case(
      .looksLikeJSON, "FROM a\nCMD ['b']",
      """
      Dockerfile:2:5: warning[W0721]: this is no JSON, so it is taken as text for the shell
        2 │ CMD ['b']
          │     ^^^^^
          = help: JSON needs double quotes, and commas between words, none after the last

      """),
    Case(
      .unsetExpansion, "FROM a\nENV PORT=1\nEXPOSE 80\nLABEL p=$PROT",
      """
      Dockerfile:4:9: warning[W0723]: PROT has no value here, and counts as empty
        4 │ LABEL p=$PROT
          │         ^^^^^ did you mean "PORT"?

      """),
    Case(
      .repeatedStageName, "FROM a AS b\nFROM c AS b",
      """
      Dockerfile:2:1: warning[W0724]: two stages are named "b"; later lines mean the second
        1 │ FROM a AS b
          │ ----------- the first stands here
        2 │ FROM c AS b
          │ ^^^^^^^^^^^
          = help: give one of them another name

      """),
  ]

  @Test(arguments: cases)
  func aMistakeIsPrinted(_ example: Case) {
    #expect(Expansion(example.file).text == example.shows)
  }

  @Test func aBuildArgumentWithoutEffectIsNamed() {
    let expansion = Expansion("FROM a\nARG VERSION", BuildInputs(arguments: ["VERISON": "1"]))
    #expect(
      expansion.text == """
        Dockerfile: warning[W0722]: the build argument VERISON has no effect: no ARG names it
          = help: did you mean "VERSION"?

        """)
  }

  @Test func everyCodeHasACase() {
    let own = Set(DiagnosticExplanation.table.filter { $0.wrong.name == "Dockerfile" }.map(\.code))
    #expect(own.subtracting(Self.cases.map(\.code)) == [.undeclaredArgument, .failedStep])
  }
}
