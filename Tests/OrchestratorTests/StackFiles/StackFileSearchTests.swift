import TestSupport
import Testing
@testable import Kernel
@testable import Orchestrator
@testable import StackFiles
@testable import Vocabulary

/// The files that a command without a file argument finds.
@Suite struct StackFileSearchTests {
  private func found(
    _ files: [String: [String]], listed: String? = nil, inDotenv: String? = nil,
    attributes: [String: FileTrust.Attributes] = [:]
  ) -> String {
    do throws(StackErrors) {
      let trust = FileTrust(users: [0, Self.ada]) { path, _ in
        if let given = attributes[path] { return given }
        return path.hasSuffix("/.env") ? nil : FileTrust.Attributes(owner: Self.ada, mode: 0o755)
      }
      return try StackFileSearch(
        list: { files[$0] ?? [] }, workingFolder: "/home/ada/lab",
        variables: Variables(
          environment: listed.map { ["COMPOSE_FILE": $0] } ?? [:], dotenv: inDotenv.map { ["COMPOSE_FILE": $0] } ?? [:]),
        trust: trust
      ).find().paths.joined(separator: " ")
    } catch {
      return "\(error)"
    }
  }

  private static let ada: UInt32 = 1000

  /// Files of others, and those that others can write, are not taken by a command that was not told to.
  @Test func whatOthersMayHaveWrittenIsNotTakenUnasked() {
    typealias Attributes = FileTrust.Attributes
    let (here, above) = ("/home/ada/lab", "/home/ada")
    let stranger = Attributes(owner: 1001, mode: 0o644)
    #expect(
      found([here: ["x.stack"]], attributes: ["\(here)/x.stack": stranger]) == """
        error: /home/ada/lab/x.stack belongs to user 1001, who is neither root nor you, so it is not taken without being named
          if you trust it, name it: stack up -f x.stack
        """)
    for (name, attributes, isTaken) in [
      ("compose.yaml", Attributes(owner: 0, mode: 0o644), true),
      ("compose.yaml", Attributes(owner: Self.ada, mode: 0o664), true),
      ("compose.yaml", Attributes(owner: Self.ada, mode: 0o646), false),
      ("compose.yaml", stranger, false),
      ("compose.override.yaml", stranger, false),
      (".env", stranger, false),
      ("", Attributes(owner: 1001, mode: 0o755), false),
      ("", Attributes(owner: 0, mode: 0o1777), true),
      ("", Attributes(owner: 0, mode: 0o777), false),
    ] {
      let path = name.isEmpty ? above : "\(above)/\(name)"
      let answer = found([above: ["compose.yaml", "compose.override.yaml"]], attributes: [path: attributes])
      #expect(answer.hasPrefix("error: ") != isTaken, "\(path) \(attributes): \(answer)")
      #expect(isTaken || answer.contains("stack up -f ../"), "\(answer)")
    }
  }

  @Test func aFileOfOthersDoesNotSayWhichAreTaken() {
    let stranger = ["/home/ada/lab/.env": FileTrust.Attributes(owner: 1001, mode: 0o644)]
    #expect(found([:], inDotenv: "/tmp/evil.yaml") == "/tmp/evil.yaml")
    #expect(found([:], inDotenv: "/tmp/evil.yaml", attributes: stranger).hasPrefix("error: /home/ada/lab/.env belongs"))
    // Whoever names files means them.
    #expect(found([:], listed: "mine.yaml", attributes: stranger) == "mine.yaml")
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
      found([
        "/home/ada": ["notes.txt", "y.stack"], "/home": ["compose.yaml", "compose.override.yml"], "/": ["compose.yml"],
      ]) == "../../compose.yaml ../../compose.override.yml")
    #expect(found(["/": ["compose.yml"]]) == "../../../compose.yml")
    #expect(found(["/home/ada/lab": ["compose.yaml"], "/home/ada": ["x.stack"]]) == "compose.yaml")
  }

  @Test func whereThereIsNoneOrMoreThanOneItIsSaid() {
    #expect(
      found(["/home/ada/lab": ["compose.override.yaml"]]) == """
        error: there is no stack file in /home/ada/lab, nor a compose.yaml in a folder above it
          name one: stack up FILE
        """)
    #expect(
      found(["/home/ada/lab": ["a.stack", "b.stack"]]) == """
        error: there is more than one stack file in /home/ada/lab
          name one: a.stack, b.stack
        """)
    // Anybody's file in a folder above, which people cannot see as they type, is none that they mean.
    #expect(found(["/home/ada": ["a.stack"], "/": ["b.stack"]]).hasPrefix("error: there is no stack file"))
  }

  @Test func theEnvironmentNamesOthers() {
    #expect(found(["/home/ada/lab": ["compose.yaml"]], listed: "base.yml:over/b.yml") == "base.yml over/b.yml")
    #expect(found(["/home/ada/lab": ["compose.yaml"]], listed: "") == "compose.yaml")
  }
}

/// The effects of the environment, of `.env` and of arguments on reading a stack file.
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
    return try CommandContext(
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

  @Test func whatIsTakenFromAFolderAboveIsSaid() throws {
    try Files.makeFolder("\(folder.path)/sub")
    func notes(in working: String) throws -> [String] {
      try CommandContext(
        folders: folder.folders, supervisor: SupervisorProgram(arguments: []), environment: [:], workingFolder: working
      ).load(LoadRequest(paths: [])).notes
    }
    #expect(try notes(in: "\(folder.path)/sub").first == "using ../compose.yaml")
    #expect(try notes(in: folder.path).contains { $0.hasPrefix("using") } == false)
  }

  @Test func anOverrideIsMergedOverWhatIsFound() throws {
    try folder.write("compose.override.yaml", "services: {d: {command: [x]}}")
    #expect(try load().serviceNames == ["a", "d"])
    // Who names a file means that file.
    #expect(try load { $0.paths = ["compose.yaml"] }.serviceNames == ["a"])
  }
}
