import FoundationEssentials
import ImageFormat
import Testing

@testable import BuildExecutor
@testable import Dockerfile

@Suite struct BuildConfigurationTests {
  private func process(
    of configuration: BuildConfiguration
  ) throws -> ImageConfiguration.Process {
    try ImageConfiguration(configuration.bytes(layers: [], created: "2024-01-01T00:00:00Z")).process
  }

  private func read(_ json: String) throws -> BuildConfiguration {
    try #require(BuildConfiguration(Array(json.utf8)))
  }

  @Test func anEntrypointResetsTheCommandOfTheBaseAndNotItsOwn() throws {
    let base = #"{"config": {"Cmd": ["old"]}}"#
    var first = try read(base)
    first.beginStage()
    first.setEntrypoint(.words(["/run"]))
    #expect(try process(of: first).command == nil)
    var second = try read(base)
    second.beginStage()
    second.setCommand(.shell("new"))
    second.setEntrypoint(.words(["/run"]))
    #expect(try process(of: second).command == ["/bin/sh", "-c", "new"])
  }

  @Test func variablesKeepTheirPlaceAndTheLaterValueHolds() throws {
    var configuration = try read(#"{"config": {"Env": ["PATH=/bin", "A=1"]}}"#)
    configuration.setEnvironment([NamedValue("A", "2"), NamedValue("B", "x=y")])
    #expect(try process(of: configuration).environment == ["PATH=/bin", "A=2", "B=x=y"])
    #expect(configuration.environment.map(\.name) == ["PATH", "A", "B"])
  }

  @Test func aShellHoldsForTheCommandsAfterIt() throws {
    var configuration = BuildConfiguration(.own)
    configuration.setShell(["/bin/bash", "-ec"])
    configuration.setCommand(.shell("x"))
    #expect(try process(of: configuration).command == ["/bin/bash", "-ec", "x"])
  }

  @Test func whatTheBaseHasAndNobodyKnowsStays() throws {
    var configuration = try read(
      #"{"config": {"Domainname": "x", "OnBuild": ["RUN a"], "Volumes": {"/v":{}}}, "container": "","os.version": "1"}"#
    )
    #expect(configuration.takeTriggers() == ["RUN a"])
    configuration.addVolumes(["/w"])
    let text = String(decoding: configuration.bytes(layers: [], created: "x"), as: UTF8.self)
    #expect(text.contains(#""Domainname":"x""#) && text.contains(#""os.version":"1""#))
    #expect(!text.contains("OnBuild") && !text.contains(#""container""#))
    #expect(text.contains(#""Volumes":{"/v":{},"/w":{}}"#))
  }

  @Test func historyHasAnEntryForEachInstruction() throws {
    var configuration = BuildConfiguration(.own)
    configuration.addHistory("RUN a", created: "2024-01-01T00:00:00Z", isEmpty: false)
    configuration.addHistory("CMD b", created: "2024-01-01T00:00:00Z", isEmpty: true)
    let history = try ImageConfiguration(configuration.bytes(layers: [], created: "x")).history ?? []
    #expect(history.map(\.createdBy) == ["RUN a", "CMD b"])
    #expect(history.map(\.isEmptyLayer) == [nil, true])
  }

  @Test func aHealthCheckIsInNanoseconds() throws {
    var configuration = BuildConfiguration(.own)
    configuration.setHealthCheck(
      HealthCheckInstruction(
        command: .shell("true"), interval: .milliseconds(1500), timeout: nil, startPeriod: nil, startInterval: nil,
        retries: 3))
    let check = try process(of: configuration).healthCheck
    #expect(check?.test == ["CMD-SHELL", "true"] && check?.interval == 1_500_000_000 && check?.retries == 3)
  }
}
