import ImageFormat
import Testing

@testable import StackFiles

/// The merge of an image's configuration with the stack file, as `docker run` does it.
@Suite struct ImageMergeTests {
  private static let chosen = StackFile.ChosenImage(name: "x", digest: "sha256:0", layers: [1])

  private func merged(_ keys: String, _ image: String) throws -> StackFile.Service {
    let outcome = load("services: {web: {image: x\(keys.isEmpty ? "" : ", \(keys)")}}")
    let service = try #require(outcome.stack?.services["web"], "\(outcome.diagnostics)")
    let configuration = try ImageConfiguration(Array("{\"config\": {\(image)}}".utf8))
    return try service.running(Self.chosen, configuration)
  }

  @Test(arguments: [
    ("", ["e", "c"]), ("command: [d]", ["e", "d"]), ("command: []", ["e", "c"]), ("command: ''", ["e", "c"]),
    ("entrypoint: [f]", ["f"]), ("entrypoint: [f], command: [d]", ["f", "d"]), ("entrypoint: []", ["c"]),
    ("entrypoint: [], command: [d]", ["d"]), ("entrypoint: null", ["e", "c"]), ("entrypoint: f g", ["f", "g"]),
  ])
  func commandsAreMerged(_ keys: String, _ arguments: [String]) throws {
    #expect(try merged(keys, #""Entrypoint": ["e"], "Cmd": ["c"]"#).arguments == arguments)
  }

  @Test func nothingToRunIsAnError() {
    #expect(throws: ImageMergeError.self) { try merged("", "") }
    #expect(throws: ImageMergeError.self) { try merged("entrypoint: []", #""Entrypoint": ["e"]"#) }
  }

  @Test func variablesAndLabelsAreMergedByName() throws {
    let service = try merged(
      "environment: {B: file}, labels: {b: file}",
      #""Cmd": ["c"], "Env": ["A=image", "B=image", "=x", "none"], "Labels": {"a": "1", "b": "2"}"#)
    #expect(service.environment.map { "\($0.name.value)=\($0.value)" } == ["A=image", "B=file"])
    #expect(Set(service.labels.map { "\($0.name.value)=\($0.value)" }) == ["a=1", "b=file"])
  }

  @Test(arguments: [
    ("", #""User": "www:web""#, "www:web"), ("", #""User": "1000:""#, "1000"), ("user: me", #""User": "www""#, "me"),
    ("", #""User": """#, "0"), ("", #""User": ":web""#, "0:web"),
  ])
  func theUserIsTheFilesOrElseTheImages(_ keys: String, _ image: String, _ user: String?) throws {
    #expect(try merged(keys, #""Cmd": ["c"], "# + image).user?.value.description == user)
  }

  /// CVE-2024-40635
  @Test(arguments: ["2147483648", "99999999999999999999", "0:4294967295"])
  func usersOutOfRangeAreRefused(_ user: String) {
    #expect(throws: ImageMergeError.self) { try merged("", #""Cmd": ["c"], "User": "\#(user)""#) }
  }

  /// CVE-2022-23648
  @Test func volumesAreMountedWhereNothingElseIs() throws {
    let image = #""Cmd": ["c"], "Volumes": {"/data": {}, "/own/": {}, "/../../etc/x": null, "/": {}}"#
    let service = try merged("volumes: [/srv:/own]", image)
    #expect(service.mounts.map(\.target.value).sorted() == ["/data", "/etc/x", "/own"])
    #expect(service.mounts.filter { $0.source == .anonymous }.map(\.target.value).sorted() == ["/data", "/etc/x"])
  }

  @Test func healthChecksAreMergedByField() throws {
    let image =
      #""Cmd": ["c"], "Healthcheck": {"Test": ["CMD", "t"], "Interval": 5000000000, "Retries": 7, "Timeout": 0}"#
    let plain = try merged("", image).healthCheck
    #expect(plain?.test.value == .command(["t"]) && plain?.interval == .seconds(5) && plain?.retries == 7)
    #expect(plain?.timeout == .seconds(30))
    let changed = try merged("healthcheck: {interval: 9s}", image).healthCheck
    #expect(changed?.test.value == .command(["t"]) && changed?.interval == .seconds(9) && changed?.retries == 7)
    #expect(try merged("healthcheck: {disable: true}", image).healthCheck == nil)
    #expect(try merged("healthcheck: {test: [NONE]}", image).healthCheck == nil)
    #expect(try merged("", #""Cmd": ["c"], "Healthcheck": {"Test": ["NONE"]}"#).healthCheck == nil)
    #expect(throws: ImageMergeError.self) { try merged("healthcheck: {interval: 9s}", #""Cmd": ["c"]"#) }
  }

  @Test func aShellOfTheImagesRunsItsCheck() throws {
    let image = #""Cmd": ["c"], "Shell": ["/bin/ash", "-c"], "Healthcheck": {"Test": ["CMD-SHELL", "a b"]}"#
    #expect(try merged("", image).healthCheck?.test.value == .command(["/bin/ash", "-c", "a b"]))
  }

  @Test func anImagesProgramIsProcessOne() throws {
    #expect(try merged("", #""Cmd": ["c"]"#).hasInit == false)
    #expect(try merged("init: true", #""Cmd": ["c"]"#).hasInit)
  }

  @Test func othersMayWaitForAnImagesHealthCheck() {
    let file = "services: {web: {image: x, depends_on: {db: {condition: service_healthy}}}, db: {image: y"
    #expect(load("\(file)}}").diagnostics.isEmpty)
    #expect(load("\(file), healthcheck: {disable: true}}}").diagnostics.map(\.code) == [.dependencyNeverHealthy])
  }
}
