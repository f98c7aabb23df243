import Testing
@testable import StackFiles

@Suite struct EnvironmentFileTests {
  private func read(_ text: String) -> (values: [String], diagnostics: [Diagnostic]) {
    let diagnostics = DiagnosticList()
    let reader = EnvironmentFileReader(
      source: SourceFile(path: "web.env", bytes: Array(text.utf8)),
      variables: Variables(environment: ["USER": "ada"]), diagnostics: diagnostics)
    return (reader.assignments().map { "\($0.name.value)=\($0.value ?? "<none>")" }, diagnostics.sorted)
  }

  @Test(arguments: [
    ("A=1", ["A=1"]), ("A=1\nB=2\n", ["A=1", "B=2"]), ("A=1\r\nB=2\r\n", ["A=1", "B=2"]), ("", []), ("\n\n", []),
    ("# comment\nA=1 # comment", ["A=1"]), ("A=1#2", ["A=1#2"]), ("A=#x", ["A=#x"]), ("A= # x", ["A=# x"]),
    ("A=  spaced out  ", ["A=spaced out"]),
    ("  A = 1", ["A=1"]), ("export A=1", ["A=1"]), ("export=1", ["export=1"]), ("A: 1", ["A=1"]), ("A", ["A=<none>"]),
    ("A # c\nB", ["A=<none>", "B=<none>"]), ("A=", ["A="]), ("A==b=c", ["A==b=c"]),
    ("A='$USER \\n # x'", ["A=$USER \\n # x"]), ("A=\"$USER # x\" # c", ["A=ada # x"]),
    (#"A="a\nb\t\"c\" \\ \$USER \q""#, ["A=a\nb\t\"c\" \\ $USER \\q"]),
    ("A=\"two\nlines\"\nB=2", ["A=two\nlines", "B=2"]), ("A=x$USER", ["A=xada"]), ("A=${NONE:-d}", ["A=d"]),
    ("A=1\nB=$A$A", ["A=1", "B=11"]), ("A=it's", ["A=it's"]), ("A='it\\'s'", ["A=it's"]), ("A=\"x\"y", ["A=x"]),
    ("A=abc$ $1 $(cmd)", ["A=abc$ $1 $(cmd)"]), ("a.b-c=1", ["a.b-c=1"]), ("\u{FEFF}A=1", ["A=1"]),
  ])
  func areRead(_ text: String, _ expected: [String]) {
    let (values, diagnostics) = read(text)
    #expect(values == expected)
    #expect(diagnostics.isEmpty)
  }

  @Test(arguments: [
    ("=1", 1), ("A B=1", 1), ("\nA='x", 2), ("A!=1", 1), ("A=1\nB C\nD=\"", 2),
  ])
  func areRefused(_ text: String, _ line: Int) {
    let diagnostics = read(text).diagnostics
    #expect(diagnostics.first?.code == .badEnvironmentFile)
    #expect(diagnostics.first?.primary?.span.start.line == line)
  }

  @Test func valuesThatGrowByPowersAreRefused() {
    let text = "A=xxxxxxxx\n" + Array(repeating: "A=$A$A\n", count: 60).joined()
    #expect(read(text).diagnostics.map(\.code) == [.tooManyNodes])
  }

  @Test func rawFilesAreLiteral() {
    let outcome = load(
      "services: {web: {command: nginx, env_file: [{path: raw.env, format: raw}]}}",
      others: ["/lab/raw.env": "# c\nA='$USER' # x\n\nB=\"\n"])
    #expect(outcome.stack?.services["web"]?.environment.map(\.value) == ["'$USER' # x", "\""])
  }

  @Test func theLastFileWinsAndEnvironmentOverAll() {
    let outcome = load(
      """
      services:
        web:
          command: nginx
          env_file: [a.env, {path: b.env}, {path: missing.env, required: false}]
          environment: [C=environment, D]
      """,
      others: ["/lab/a.env": "A=a\nB=a\nC=a\nD=a", "/lab/b.env": "B=b\nC=b\nE\nF"],
      environment: ["D": "caller", "F": "f"])
    #expect(outcome.diagnostics.isEmpty)
    let environment = outcome.stack?.services["web"]?.environment.map { "\($0.name.value)=\($0.value)" }
    #expect(environment == ["A=a", "B=b", "C=environment", "D=caller", "F=f"])
  }

  @Test func aNameWithoutAValueIsNotPassedOn() {
    let environment = services("services: {web: {command: nginx, environment: [A=1, B, A]}}").first?.environment
    #expect(environment?.isEmpty == true)
  }

  @Test func placesAreInTheEnvironmentFile() throws {
    let outcome = load(
      "services: {web: {command: nginx, env_file: web.env}}", others: ["/lab/web.env": "# c\nA=1\n"])
    #expect(outcome.stack?.services["web"]?.environment.first?.name.span.place == "web.env:2")
  }
}
