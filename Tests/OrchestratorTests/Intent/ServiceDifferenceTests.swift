import Testing
@testable import Intent
@testable import Vocabulary

/// The changes that recreate a running service, and those that it survives.
@Suite struct ServiceDifferenceTests {
  private let stack: DesiredStack
  private let service: DesiredService

  init() throws {
    stack = try resolve(
      """
      services:
        web:
          command: [x]
          ports: ["8080:80"]
          extra_hosts: ["files=10.0.0.5"]
          volumes: ["data:/data"]
      volumes: {data: {}}
      """)
    service = try #require(stack.services.first)
  }

  private func difference(_ change: (inout DesiredService) -> Void) -> String? {
    var changed = service
    change(&changed)
    return changed.difference(from: service, old: stack, new: stack)
  }

  @Test func nothingIsNoDifference() {
    #expect(difference { _ in } == nil)
  }

  @Test func surroundingsChangeInPlace() {
    let changes: [(String, (inout DesiredService) -> Void)] = [
      ("port", { $0.ports[0].hostPort = 8081 }),
      ("dependency", { $0.dependencies = [Dependency(service: "db", condition: .started, isRequired: true)] }),
      ("grace", { $0.stop = StopPolicy(signal: 2, grace: .seconds(1)) }),
      ("restart", { $0.restart = .always }),
      (
        "health check",
        {
          $0.healthCheck = HealthCheck(
            command: ["true"], interval: .seconds(1), timeout: .seconds(1), retries: 1, startPeriod: .zero,
            startInterval: .seconds(1))
        }
      ),
      ("line", { $0.declaredAt = nil }), ("line of a mount", { $0.mounts[0].declaredAt = nil }),
      ("host", { $0.extraHosts[0].name = "other" }), ("set down", { $0.attachments[0].conditions = LinkConditions() }),
    ]
    for (name, change) in changes { #expect(difference(change) == nil, "\(name)") }
  }

  @Test func theOrderOfMountsCountsWhereTwoHaveOneTarget() {
    func mount(_ target: String, _ source: String? = nil) -> DesiredMount {
      DesiredMount(
        source: .folder(source ?? "/srv\(target)", createIfMissing: false), target: target, isReadOnly: false)
    }
    let mounts = [mount("/data"), mount("/data/cache"), mount("/run")]
    #expect(mounts.showsSame(as: [mounts[1], mounts[2], mounts[0]]))
    #expect(!mounts.showsSame(as: Array(mounts.dropLast())))
    #expect(!mounts.showsSame(as: [mounts[0], mounts[1], mount("/run", "/other")]))
    #expect(!mounts.showsSame(as: [mounts[0], mounts[1], mount("/elsewhere")]))
    let twice = [mount("/a", "/1"), mount("/a", "/2")]
    #expect(twice.showsSame(as: twice) && !twice.showsSame(as: twice.reversed()))
    #expect(!mounts.showsSame(as: [mounts[0], mounts[0], mounts[1]]))
    #expect([DesiredMount]().showsSame(as: []))
  }

  @Test func whatIsInsideMakesItAnew() {
    #expect(difference { $0.process.arguments.append("y") } == "command changed")
    #expect(difference { $0.settings.writableSize = 1 << 20 } == "storage_opt changed")
    #expect(difference { $0.ports = [] } == "ports changed")
    #expect(difference { $0.extraHosts = [] } == "extra_hosts changed")
    #expect(difference { $0.mounts[0].isReadOnly = true } == "volumes changed")
    #expect(
      difference {
        $0.hostname = "other"
        $0.forwards = true
      } == "hostname, forward changed")
  }

  @Test func aPropertyThatNobodyDecidedOnMakesItAnew() {
    #expect(difference { $0.index = 7 } == "settings changed")
  }

  @Test func aSparedServiceTakesTheSurroundings() {
    var other = service
    other.restart = .always
    other.ports[0].hostPort = 9090
    other.process.arguments = ["y"]
    let spared = service.withSurroundings(of: other)
    #expect(spared.restart == .always && spared.ports[0].hostPort == 9090)
    #expect(spared.process.arguments == ["x"])
  }
}
