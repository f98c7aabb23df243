import Vocabulary
import Testing
@testable import Orchestrator
@testable import StackFiles

/// Which files a command is about that names none.
@Suite struct StackFileSearchTests {
  private func found(_ files: [String: [String]], listed: String? = nil) -> String {
    do throws(StackErrors) {
      return try StackFileSearch(
        list: { files[$0] ?? [] }, workingFolder: "/home/ada/lab",
        variables: Variables(environment: listed.map { ["COMPOSE_FILE": $0] } ?? [:])
      ).paths().joined(separator: " ")
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    (["web.stack", "compose.yaml"], "web.stack"),
    (["compose.yml", "compose.yaml", "docker-compose.yml"], "compose.yaml"),
    (["compose.yaml", "compose.override.yaml"], "compose.yaml compose.override.yaml"),
    (["docker-compose.yml", "docker-compose.override.yml"], "docker-compose.yml docker-compose.override.yml"),
    (["compose.yaml", "compose.override.yaml", "compose.override.yml"], "compose.yaml compose.override.yml"),
    // An override is about what Compose finds.
    (["web.stack", "compose.override.yaml"], "web.stack"),
  ])
  func filesOfTheWorkingFolder(_ names: [String], _ paths: String) {
    #expect(found(["/home/ada/lab": names]) == paths)
  }

  @Test func theNearestFolderAboveThatHasAny() {
    #expect(
      found(["/home/ada": ["notes.txt"], "/home": ["compose.yaml", "compose.override.yml"], "/": ["x.stack"]])
        == "../../compose.yaml ../../compose.override.yml")
    #expect(found(["/": ["x.stack"]]) == "../../../x.stack")
    #expect(found(["/home/ada/lab": ["compose.yaml"], "/home/ada": ["x.stack"]]) == "compose.yaml")
  }

  @Test func whereThereIsNoneOrMoreThanOneItIsSaid() {
    #expect(
      found(["/home/ada/lab": ["compose.override.yaml"]]) == """
        error: there is no stack file in /home/ada/lab, nor in a folder above it
          name one: stack up FILE
        """)
    #expect(
      found(["/home/ada": ["a.stack", "b.stack"]]) == """
        error: there is more than one stack file in /home/ada
          name one: ../a.stack, ../b.stack
        """)
  }

  @Test func theEnvironmentNamesOthers() {
    #expect(found(["/home/ada/lab": ["compose.yaml"]], listed: "base.yml:over/b.yml") == "base.yml over/b.yml")
    #expect(found(["/home/ada/lab": ["compose.yaml"]], listed: "") == "compose.yaml")
  }
}

/// How what surrounds a stack file takes part in reading it.
@Suite struct StackFileSurroundingsTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(
      "compose.yaml",
      "services: {a: {command: [x]}, b: {command: [x], profiles: [debug]}, c: {command: [x], profiles: [q]}}")
  }

  private func load(
    _ environment: [String: String] = [:], _ change: (inout LoadRequest) -> Void = { _ in }
  ) throws -> LoadedStack {
    var request = LoadRequest(paths: [])
    change(&request)
    return try StackCommands(
      folders: folder.folders, supervisor: SupervisorProgram(arguments: []), environment: environment,
      workingFolder: folder.path
    ).load(request)
  }

  @Test func nameAndProfilesComeFromTheEnvironment() throws {
    let loaded = try load(["COMPOSE_PROJECT_NAME": "shop", "COMPOSE_PROFILES": "debug,q"])
    #expect(loaded.name == "shop")
    #expect(loaded.serviceNames == ["a", "b", "c"])
    #expect(try load(["COMPOSE_PROJECT_NAME": "", "COMPOSE_PROFILES": ""]).serviceNames == ["a"])
  }

  @Test func whatTheCommandLineSaysWins() throws {
    let loaded = try load(["COMPOSE_PROJECT_NAME": "shop", "COMPOSE_PROFILES": "debug"]) {
      ($0.name, $0.profiles) = ("mall", ["q"])
    }
    #expect(loaded.name == "mall")
    #expect(loaded.serviceNames == ["a", "c"])
  }

  @Test func theyMayStandInTheFileBeside() throws {
    try folder.write("more.yaml", "services: {d: {command: [x]}}")
    try folder.write(
      ".env", "COMPOSE_PROJECT_NAME=mall\nCOMPOSE_PROFILES=q\nCOMPOSE_FILE=compose.yaml:more.yaml\n")
    #expect(try load().name == "mall")
    #expect(try load().serviceNames == ["a", "c", "d"])
    #expect(try load(["COMPOSE_PROJECT_NAME": "shop"]).name == "shop")
  }

  @Test func anOverrideIsMergedOverWhatIsFound() throws {
    try folder.write("compose.override.yaml", "services: {d: {command: [x]}}")
    #expect(try load().serviceNames == ["a", "d"])
    // Who names a file means that file.
    #expect(try load { $0.paths = ["compose.yaml"] }.serviceNames == ["a"])
  }
}
