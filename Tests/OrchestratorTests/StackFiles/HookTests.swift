import Testing
@testable import Intent
@testable import Planning
@testable import StackFiles

@Suite struct HookTests {
  private func service(_ keys: String) throws -> DesiredService {
    try #require(try resolve("services: {a: {command: x, \(keys)}}").services.first)
  }

  @Test func hooksAreRead() throws {
    let service = try service(
      "post_start: [{command: \"ip route add 10.9.0.0/24 dev eth0\"}, {command: [sh, -c, \"a b\"], user: \"1:2\","
        + " working_dir: /srv, environment: {A: b}, privileged: true}], pre_stop: [{command: [true]}]")
    #expect(
      service.postStart == [
        DesiredHook(command: ["ip", "route", "add", "10.9.0.0/24", "dev", "eth0"]),
        DesiredHook(
          command: ["sh", "-c", "a b"], user: "1:2", workingDirectory: "/srv", environment: ["A": "b"],
          isPrivileged: true),
      ])
    #expect(service.preStop == [DesiredHook(command: ["true"])])
    #expect(service.hooks(at: .postStart).count == 2 && service.hooks(at: .preStop).count == 1)
    #expect(service.environment(of: service.postStart[1])["A"] == "b")
  }

  @Test func aChangeOfHooksTouchesNothing() throws {
    let now = try resolve("services: {a: {command: x, post_start: [{command: y}]}}")
    let before = try resolve("services: {a: {command: x, pre_stop: [{command: z}]}}")
    let service = try #require(now.services.first)
    #expect(service.difference(from: try #require(before.services.first), old: before, new: now) == nil)
    let running = ["a": ServicePhase.running]
    #expect(Planner.up(now, recorded: before, observed: running).reasons.isEmpty)
  }
}
