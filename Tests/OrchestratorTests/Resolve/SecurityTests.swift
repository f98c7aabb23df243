import Testing
@testable import Intent
@testable import Isolation
@testable import Runtime

@Suite struct SecurityTests {
  private func security(_ keys: String) throws -> DesiredSecurity {
    let stack = try resolve("services: {a: {command: x\(keys.isEmpty ? "" : ", " + keys)}}")
    return try #require(stack.services.first).process.security
  }

  @Test func standard() throws {
    let security = try security("")
    #expect(security == DesiredSecurity())
    #expect(!security.capabilities.contains(.mknod) && !security.capabilities.contains(.auditWrite))
    #expect(security.confinement == Confinement())
  }

  @Test func capabilitiesAreAddedAndDropped() throws {
    let one = try security("cap_add: [net_admin], cap_drop: [CAP_NET_RAW]")
    #expect(one.capabilities == CapabilitySet.standard.union([.init([.netAdmin])]).subtracting(.init([.netRaw])))
    #expect(one.confinement.ambient == CapabilitySet([.netAdmin]))
    #expect(try security("cap_drop: [ALL], cap_add: [CHOWN]").capabilities == CapabilitySet([.chown]))
    #expect(try security("cap_drop: [all]").capabilities == [])
    let all = try security("cap_add: [ALL], cap_drop: [SYS_ADMIN]").capabilities
    #expect(all.contains(.bpf) && !all.contains(.sysAdmin))
  }

  @Test func aRouterAdministersItsNetwork() throws {
    let router = try security("forward: true, user: bird")
    #expect(router.capabilities == CapabilitySet.standard.union([.init([.netAdmin])]))
    #expect(router.confinement.ambient == CapabilitySet([.netAdmin]))
    #expect(try security("forward: false") == DesiredSecurity())
    #expect(try security("forward: true, cap_drop: [NET_ADMIN]") == DesiredSecurity())
    #expect(try security("forward: true, cap_drop: [ALL]").capabilities == [])
    let both = try security("forward: true, cap_add: [SYS_ADMIN]").added
    #expect(both == CapabilitySet([.netAdmin, .sysAdmin]))
  }

  /// Earlier releases started routers without NET_ADMIN.
  @Test func aRouterThatRunsWithoutNetAdminIsLeftAlone() throws {
    let now = try resolve("services: {r: {command: x, forward: true}}")
    let router = try #require(now.services.first)
    var former = router
    former.process.security = DesiredSecurity()
    #expect(router.difference(from: former, old: now, new: now) == nil)
    #expect(former.difference(from: router, old: now, new: now) == "privileges changed")
    former.process.security.capabilities = []
    #expect(router.difference(from: former, old: now, new: now) == "privileges changed")
    former = router
    (former.process.security, former.forwards) = (DesiredSecurity(), false)
    #expect(router.difference(from: former, old: now, new: now) == "privileges, forward changed")
  }

  @Test func privilegedIsWithoutLimits() throws {
    #expect(try security("privileged: true").confinement == .none)
    #expect(try security("privileged: true, security_opt: [no-new-privileges]").confinement.noNewPrivileges)
  }

  @Test func newPrivilegesCanBeAllowed() throws {
    for option in ["\"no-new-privileges:false\"", "no-new-privileges=false"] {
      #expect(try !security("security_opt: [\(option)]").forbidsNewPrivileges)
    }
  }

  @Test func aChangeMakesTheServiceAnew() throws {
    let before = try resolve("services: {a: {command: x}}")
    let after = try resolve("services: {a: {command: x, cap_add: [NET_ADMIN]}}")
    let difference = after.services.first?.difference(
      from: try #require(before.services.first), old: before, new: after)
    #expect(difference == "privileges changed")
  }
}
