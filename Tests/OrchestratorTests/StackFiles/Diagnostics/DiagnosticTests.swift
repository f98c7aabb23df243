import Testing
@testable import StackFiles

/// A stack file that is wrong in one way, and everything that is printed about it.
struct DiagnosticCase: Sendable, CustomTestStringConvertible {
  var code: DiagnosticCode
  var text: String
  var others: [String: String]
  var environment: [String: String]
  var paths: [String]
  var rendering: String

  init(
    _ code: DiagnosticCode, _ text: String, others: [String: String] = [:], environment: [String: String] = [:],
    paths: [String] = ["web.stack"], shows rendering: String
  ) {
    self.code = code
    self.text = text
    self.others = others
    self.environment = environment
    self.paths = paths
    self.rendering = rendering
  }

  var testDescription: String { "\(code.rawValue) \(code)" }

  static let all =
    text + variables + shapes + references + values + networks + ipv6 + topology + names + conflicts + rules + links
    + limits + settings + labs
}

@Suite struct DiagnosticTests {
  @Test(arguments: DiagnosticCase.all)
  func isRendered(_ example: DiagnosticCase) {
    let shown = diagnose(
      example.text, others: example.others, environment: example.environment, paths: example.paths)
    #expect(shown == example.rendering + "\n")
    #expect(shown.contains("[\(example.code.rawValue)]"))
  }

  @Test func aMisspeltCommandIsNotMissedAsWell() {
    for key in ["comand", "entrypoitn"] {
      let text = diagnose("x-web: &web {\(key): [nginx]}\nservices: {web: {<<: *web}, api: {<<: *web}}")
      #expect(text.contains("E0030") && !text.contains("E0038"), "\(text)")
    }
    #expect(diagnose("services: {web: {x-note: 1}}").contains("E0038"))
  }

  @Test func everyCodeHasACase() {
    // Those that need more than text are in HostileInputTests and ProfileTests, those of Dockerfiles in BuilderTests.
    let elsewhere: Set<DiagnosticCode> = [.notAFile, .fileTooLarge, .notUTF8, .tooManyNodes, .inactiveDependency]
    let ofBuilds = DiagnosticExplanation.table.filter { $0.wrong.name != "web.stack" }.map(\.code)
    let missing = Set(DiagnosticCode.allCases).subtracting(DiagnosticCase.all.map(\.code)).subtracting(elsewhere)
      .subtracting(ofBuilds)
    #expect(missing.isEmpty)
  }

  @Test func allErrorsAreReportedInTheOrderOfTheFile() {
    let diagnostics = load(
      """
      services:
        web:
          hostnme: nginx
          ports: [http]
          stop_signal: NOPE
      networks:
        front: {subnet: nope}
      """
    ).diagnostics
    #expect(diagnostics.map(\.code) == [.nothingToRun, .unknownKey, .badPort, .badSignal, .badSubnet])
    #expect(diagnostics.compactMap(\.primary?.span.start.line) == [2, 3, 4, 5, 7])
  }

  /// One mistake, one error: what follows from it is not reported as well.
  @Test(arguments: [
    ("hostname: \"${NAME:?}\", ports: [\"${\"]", [DiagnosticCode.missingVariable, .badInterpolation]),
    ("networks: [front]}}\nnetworks: {front: {subnet: nope, gateway: 10.1.0.1", [.badSubnet]),
    ("networks: {front: {ipv4_address: 10.1.0.5}}}}\nnetworks: {front: {subnet: nope", [.badSubnet]),
    ("depends_on: {db: {condition: service_healthy}}}, db: {command: db, healthcheck: {test: []}", [.emptyText]),
    ("depends_on: [db]}, db: {build: [db]", [.wrongShape]),
    ("networks: [a!]}}\nnetworks: {a!: {", [.badName]),
    ("volumes: [\"x:/y\"]}}\nvolumes: {x: {driver: nfs", [.badChoice]),
  ])
  func oneMistakeIsOneError(_ keys: String, _ codes: [DiagnosticCode]) {
    #expect(load("services: {web: {command: nginx, \(keys)}}").diagnostics.map(\.code) == codes)
  }

  @Test func rendersAsJSON() {
    let diagnostics = load(
      """
      services:
        web: {command: nginx, depends_on: [bd]}
        db: {command: db}
      """
    ).diagnostics
    #expect(
      Diagnostic.jsonLines(diagnostics) == #"{"code":"E0104","severity":"error","#
        + #""message":"service \"web\" depends on undefined service \"bd\"","file":"web.stack","#
        + #""start":{"line":2,"column":38,"offset":47},"end":{"line":2,"column":40,"offset":49},"#
        + #""label":"did you mean \"db\"?","related":[{"file":"web.stack","#
        + #""start":{"line":3,"column":3,"offset":54},"end":{"line":3,"column":5,"offset":56},"#
        + #""label":"\"db\" is declared here"}],"help":[]}"# + "\n")
  }

  @Test func alignsTabsAndWideCharacters() {
    // A tab inside the line, characters of two columns, and one of none.
    let text = diagnose("services: {web: {command: nginx, labels: [\"網路=é\u{301}\"],\t  comand: x}}")
    #expect(
      text == """
        web.stack:1:55: error[E0030]: a service has no key "comand"
          1 │ services: {web: {command: nginx, labels: ["網路=é\u{301}"],      comand: x}}
            │                                                           ^^^^^^ did you mean "command"?

        """)
  }

  @Test func showsLongLinesAroundTheMark() throws {
    let padding = String(repeating: "x", count: 5000)
    let text = diagnose("services: {web: {command: \(padding), comand: x, labels: [\(padding)]}}")
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0.count < 200 })
    let source = Array(try #require(lines.dropFirst().first))
    let marks = try #require(lines.last)
    let start = marks.distance(from: marks.startIndex, to: try #require(marks.firstIndex(of: "^")))
    #expect(String(source[start..<start + 6]) == "comand")
  }

  @Test func letsNothingOfTheFileDriveTheTerminal() {
    let text = diagnose(#"services: {"web\e[31m": {command: nginx}}"#)
    #expect(text.contains(#""web\u{1B}[31m" cannot name"#))
    #expect(!text.unicodeScalars.contains("\u{1B}"))
  }

  @Test func coloursOnlyOnRequest() {
    let diagnostics = load("services: {}").diagnostics
    let colored = DiagnosticRenderer(isColored: true).render(diagnostics)
    #expect(colored.hasPrefix("\u{1B}[1mweb.stack:1:1:\u{1B}[0m \u{1B}[1;31merror[E0101]:\u{1B}[0m "))
    #expect(!DiagnosticRenderer().render(diagnostics).contains("\u{1B}"))
  }

  @Test func pointsIntoOtherFiles() {
    let text = diagnose(
      "services: {web: {command: nginx, container_name: one}}",
      others: ["/lab/more.stack": "services: {api: {command: api, container_name: one}}"],
      paths: ["web.stack", "more.stack"])
    #expect(
      text == """
        more.stack:1:48: error[E0402]: the container name "one" of service "api" is taken
          1 │ services: {api: {command: api, container_name: one}}
            │                                                ^^^
            ┌ web.stack:1
          1 │ services: {web: {command: nginx, container_name: one}}
            │                                                  --- the container is named here

        """)
  }

  @Test(arguments: [
    ("frnt", ["front", "back"], "front"), ("comand", ["command"], "command"), ("bd", ["db"], "db"),
    ("x", ["y"], nil), ("completely", ["different"], nil), ("Front", ["front"], "front"),
    ("prots", ["ports", "expose"], "ports"),
  ])
  func suggestsTheNearest(_ typed: String, _ candidates: [String], _ meant: String?) {
    #expect(Suggestion.closest(to: typed, among: candidates) == meant)
  }
}
