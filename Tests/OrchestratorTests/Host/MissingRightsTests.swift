import Testing
@testable import Host
@testable import Isolation
@testable import Runtime

@Suite struct MissingRightsTests {
  private func missing(_ capabilities: CapabilitySet, isInUserNamespace: Bool = false) -> MissingRights? {
    MissingRights(CallersRights(capabilities: capabilities, isInUserNamespace: isInUserNamespace))
  }

  @Test func rootOfAHostLacksNothing() {
    #expect(missing(.all) == nil)
    // Privileged containers of LXC are without these.
    #expect(missing(.all.subtracting(CapabilitySet([.sysModule, .sysTime, .macAdmin, .macOverride]))) == nil)
  }

  @Test func aContainersMissingCapabilitiesAreNamed() {
    let missing = missing(.standard.union(CapabilitySet([.mknod, .auditWrite])))
    #expect(missing == .capabilities([.netAdmin, .sysAdmin]))
    #expect(missing?.text.hasSuffix(": CAP_NET_ADMIN, CAP_SYS_ADMIN are missing") == true)
    #expect(self.missing(.all.subtracting(CapabilitySet([.mknod])))?.text.hasSuffix(": CAP_MKNOD is missing") == true)
  }

  @Test func allCapabilitiesOfAUserNamespaceAreNotEnough() {
    #expect(missing(.all, isInUserNamespace: true) == .userNamespace)
  }

  @Test(arguments: [
    ("         0          0 4294967295\n", true), ("         0     100000      65536\n", false),
    ("         0       1000          1\n", false), ("", false),
  ])
  func theFirstUserNamespaceMapsEveryIdToItself(_ map: String, _ isFirst: Bool) {
    #expect(CallersRights.isOfFirstNamespace(map) == isFirst)
  }
}
