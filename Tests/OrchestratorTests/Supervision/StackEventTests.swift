import Testing
@testable import Host
@testable import Intent
@testable import Supervision

/// The events that follow from changes of a service's record.
@Suite struct StackEventTests {
  private static func record(
    _ phase: ServicePhase, startedAt: Double? = nil, exitCode: Int? = nil, restarts: Int = 0, byHand: Bool = false,
    health: ServiceRecord.Health.Status? = nil
  ) -> ServiceRecord {
    var record = ServiceRecord(service: "web1")
    (record.phase, record.startedAt, record.exitCode, record.restarts) = (phase, startedAt, exitCode, restarts)
    record.isStoppedByHand = byHand
    record.health = health.map { ServiceRecord.Health(status: $0) }
    return record
  }

  private static func tell(_ before: ServiceRecord?, _ after: ServiceRecord) -> [String] {
    StackEvent.between(before, after, in: "web").map(\.description)
  }

  @Test func aLifeIsToldOnce() {
    let starting = Self.record(.starting, startedAt: 1)
    let running = Self.record(.running, startedAt: 1)
    #expect(Self.tell(nil, Self.record(.created)) == [])
    #expect(Self.tell(Self.record(.created), starting) == ["web/web1 start"])
    #expect(Self.tell(starting, running) == ["web/web1 ready"])
    #expect(Self.tell(running, running) == [])
    #expect(Self.tell(running, Self.record(.exited, startedAt: 1, exitCode: 137)) == ["web/web1 die (exitCode=137)"])
    #expect(
      Self.tell(running, Self.record(.exited, startedAt: 1, exitCode: 143, byHand: true))
        == ["web/web1 stop (exitCode=143)"])
  }

  @Test func aRestartIsAnEndAndAStart() {
    let running = Self.record(.running, startedAt: 1)
    let restarting = Self.record(.restarting, startedAt: 1, exitCode: 1, restarts: 1)
    #expect(Self.tell(running, restarting) == ["web/web1 die (exitCode=1)"])
    #expect(Self.tell(restarting, Self.record(.starting, startedAt: 2, restarts: 1)) == ["web/web1 start (restarts=1)"])
    // Its end was not seen.
    #expect(Self.tell(running, Self.record(.running, startedAt: 2)) == ["web/web1 start", "web/web1 ready"])
  }

  @Test func healthIsToldWhenItChanges() {
    let healthy = Self.record(.running, startedAt: 1, health: .healthy)
    let starting = Self.record(.running, startedAt: 1, health: .starting)
    #expect(Self.tell(starting, healthy) == ["web/web1 health_status (health=healthy)"])
    #expect(Self.tell(healthy, healthy) == [])
    #expect(
      Self.tell(healthy, Self.record(.running, startedAt: 1, health: .unhealthy))
        == ["web/web1 health_status (health=unhealthy)"])
  }
}
