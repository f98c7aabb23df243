import TestSupport
import Testing
@testable import Build
@testable import Host
@testable import Intent
@testable import Isolation
@testable import Kernel
@testable import Runtime
@testable import Vocabulary

/// A service's process and the processes that join it have the same context.
@Suite struct ProcessContextTests {
  private func context(_ keys: String) throws -> ProcessContext {
    let service = try resolve("services: {a: {command: [x], hostname: h\(keys)}}").services[0]
    return ProcessContext(service, ControlGroups(unified: nil).group("stack/web/a").entrance)
  }

  private let keys = """
    , user: "33:44", group_add: ["55"], working_dir: /srv, environment: {A: b}, cap_drop: [CHOWN], oom_score_adj: 7,
    ulimits: {nofile: 77}, time_offset: 1h
    """

  @Test func everyPropertyOfAProcessFollowsFromTheService() throws {
    let folder = try TemporaryFolder()
    let filters = SeccompFilters(folder.path)
    let openFiles = OpenFileLimit(soft: 3, hard: 4)
    let process = try context(keys).process(["x"], terminal: nil, openFiles: openFiles, filters: filters)
    #expect(process.arguments == ["x"] && process.environment == ["A=b", "HOSTNAME=h"])
    #expect(process.workingDirectory == "/srv" && process.user == "33:44" && process.groups == ["55"])
    #expect(!process.confinement.capabilities.contains(Capability.chown) && process.confinement.filter != nil)
    #expect(process.limits.map(\.soft) == [77] && process.openFiles == openFiles && process.oomScoreAdjustment == 7)
    // A property that was added is either set by a key, or stands here.
    let plain = try context("").process(["y"], terminal: nil, openFiles: nil, filters: filters)
    let same = zip(Mirror(reflecting: process).children, Mirror(reflecting: plain).children)
      .filter { "\($0.value)" == "\($1.value)" }.map { $0.0.label }
    #expect(same == ["umask", "cgroup", "cgroupEntrances"])
  }

  @Test func theTerminalIsNamedUnlessTheFileNamesIt() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let filters = SeccompFilters(folder.path)
    func environment(_ keys: String, _ terminal: String?) throws -> [String] {
      try context(keys).process(["x"], terminal: terminal, openFiles: nil, filters: filters).environment
    }
    #expect(try environment("", "screen") == ["HOSTNAME=h", "TERM=screen"])
    #expect(try environment("", nil) == ["HOSTNAME=h"])
    #expect(try environment(", environment: {TERM: dumb}", "screen") == ["HOSTNAME=h", "TERM=dumb"])
  }

  @Test func clocksAreEnteredWhereTheServiceHasItsOwn() throws {
    for (keys, enters) in [(keys, true), ("", false)] {
      let context = try context(keys)
      #expect(context.joining(ContainerProcess(["x"])).entersTimeNamespace == enters)
    }
  }
}
