import Testing
@testable import StackFiles

@Suite struct InterpolationTests {
  private static let variables = ["SET": "value", "EMPTY": "", "OTHER": "other", "DOLLAR": "$SET"]

  @Test(arguments: [
    ("plain", "plain"), ("$SET", "value"), ("${SET}", "value"), ("a$SET.b", "avalue.b"), ("a${SET}b", "avalueb"),
    ("$$SET", "$SET"), ("$$", "$"), ("$$$SET", "$value"), ("$${SET}", "${SET}"),
    ("$EMPTY", ""), ("$UNSET", ""), ("${UNSET}", ""),
    ("${SET:-word}", "value"), ("${EMPTY:-word}", "word"), ("${UNSET:-word}", "word"),
    ("${SET-word}", "value"), ("${EMPTY-word}", ""), ("${UNSET-word}", "word"),
    ("${SET:+word}", "word"), ("${EMPTY:+word}", ""), ("${UNSET:+word}", ""),
    ("${SET+word}", "word"), ("${EMPTY+word}", "word"), ("${UNSET+word}", ""),
    ("${SET:?word}", "value"), ("${EMPTY?word}", ""), ("${SET?}", "value"),
    ("${UNSET:-}", ""), ("${UNSET:-a b:c-d?e}", "a b:c-d?e"),
    ("${UNSET:-${OTHER}}", "other"), ("${UNSET:-$OTHER}", "other"), ("${UNSET:-a${UNSET:-b${OTHER}c}d}", "abothercd"),
    ("${UNSET:-$$x}", "$x"), ("${SET:+${OTHER}}", "other"), ("${SET}${OTHER}", "valueother"),
    ("$DOLLAR", "$SET"), ("}", "}"), ("{$SET}", "{value}"), ("$SET-1", "value-1"), ("$_", ""),
  ])
  func matrix(_ text: String, _ expected: String) throws {
    #expect(try Template(text).expanded { Self.variables[$0] }.text == expected)
  }

  @Test(arguments: [
    ("$", "$"), ("abc$", "abc$"), ("p$1x", "p$1x"), ("$-", "$-"), ("$(cmd)", "$(cmd)"), ("$$", "$"), ("a$$b", "a$b"),
    ("${UNSET:-$2a$14$OTHER}", "$2a$14other"),
  ])
  func aSignThatBeginsNoVariableIsItself(_ text: String, _ expected: String) throws {
    #expect(try Template(text).expanded { Self.variables[$0] }.text == expected)
  }

  @Test(arguments: [
    ("${EMPTY:?}", "EMPTY", ""), ("${UNSET:?word}", "UNSET", "word"), ("${UNSET?word}", "UNSET", "word"),
    ("${UNSET:?say $OTHER}", "UNSET", "say other"),
  ])
  func required(_ text: String, _ name: String, _ message: String) throws {
    let missing = try #require(try Template(text).expanded { Self.variables[$0] }.missing)
    #expect(missing.variable.name == name)
    #expect(missing.message == message)
  }

  @Test(arguments: [
    "${}", "${1}", "${A", "${A:-b", "${A!}", "${A:}", "${A:=b}", "${ A}", "${A:-${B}",
  ])
  func malformed(_ text: String) {
    #expect(throws: Template.Problem.self) { try Template(text) }
  }

  @Test func nestingIsBounded() {
    let deep = String(repeating: "${A:-", count: 100_000)
    #expect(throws: Template.Problem.self) { try Template(deep) }
  }

  @Test func aRequiredVariableIsAnErrorWithItsMessage() {
    let text = diagnose("services: {web: {command: \"nginx -p ${PORT:?choose a port}\"}}")
    #expect(text.hasPrefix("web.stack:1:37: error[E0021]: required variable PORT is missing a value: choose a port\n"))
  }

  @Test func keysAreLeftAlone() {
    let stack = load("services: {web: {command: nginx, environment: {$SET: $SET}}}", environment: Self.variables).stack
    #expect(stack?.services["web"]?.environment.map(\.name.value) == ["$SET"])
    #expect(stack?.services["web"]?.environment.map(\.value) == ["value"])
  }

  @Test func valuesOfAnyKindCanBeVariables() {
    let text = "services: {web: {command: nginx, scale: $N, tty: \"${T}\", ports: [\"$P:80\"], stop_grace_period: $G}}"
    let service = services(text, environment: ["N": "2", "T": "true", "P": "", "G": "3s"]).first
    #expect(service?.scale.value == 2)
    #expect(service?.hasTerminal == true)
    #expect(service?.ports.map(\.host) == [.free])
    #expect(service?.stopGracePeriod == .seconds(3))
  }

  @Test func anEmptyVariableIsNoMissingValue() {
    let text = "services: {web: {command: nginx, environment: {A: $EMPTY, B: }}}"
    let service = services(text, environment: ["EMPTY": "", "A": "caller's", "B": "caller's"]).first
    #expect(service?.environment.map(\.value) == ["", "caller's"])
  }

  @Test func theEnvironmentWinsOverDotenv() {
    let outcome = load(
      "services: {web: {command: \"$A $B $C\"}}", others: ["/lab/.env": "A=file\nB=file\nC=$A-${B}\n"],
      environment: ["A": "caller"])
    #expect(outcome.stack?.services["web"]?.arguments == ["caller", "file", "caller-file"])
  }

  @Test func aFolderNamedDotenvIsNoError() {
    struct Files: FileReading {
      func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
        if path == "/lab/.env" { throw .notAFile("a folder") }
        return Array("services: {web: {command: nginx}}".utf8)
      }
    }
    let outcome = StackFileLoader(files: Files(), environment: [:], workingFolder: "/lab").load(["web.stack"])
    #expect(outcome.diagnostics.isEmpty)
  }

  @Test func warnsOncePerPlace() {
    let outcome = load("x-a: &a {command: nginx, hostname: web$N}\nservices: {a: *a, b: *a}")
    #expect(outcome.diagnostics.map(\.code) == [.unsetVariable])
    #expect(outcome.stack != nil)
  }

  @Test func listsTheVariables() {
    let outcome = load("services: {web: {command: \"$A ${B:-b} ${C:?c} ${D:+d} ${B:-b}\"}}", environment: ["C": "c"])
    #expect(
      outcome.variables == [
        VariableUse(name: "A"), VariableUse(name: "B", defaultValue: "b"), VariableUse(name: "C", isRequired: true),
        VariableUse(name: "D", alternateValue: "d"),
      ])
  }

  @Test func listsTheVariablesInTheWordsOfOthers() {
    let outcome = load(
      "services: {web: {command: \"${A:-${B:-b}/$C} ${D:+${E:?e}}\"}}", environment: ["D": "d", "E": "e"])
    #expect(outcome.variables.map(\.name) == ["A", "B", "C", "D", "E"])
    #expect(outcome.variables.map(\.isRequired) == [false, false, false, false, true])
    #expect(outcome.variables.dropFirst().first?.defaultValue == "b")
  }

  @Test func canBeLeftOut() {
    var loader = StackFileLoader(
      files: FilesInMemory(["/web.stack": "services: {web: {command: \"$A\"}}"]), environment: [:], workingFolder: "/")
    loader.isInterpolating = false
    #expect(loader.load(["web.stack"]).stack?.services["web"]?.arguments == ["$A"])
  }
}
