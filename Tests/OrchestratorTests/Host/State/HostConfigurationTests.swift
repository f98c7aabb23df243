import Testing
@testable import Addresses
@testable import Host
@testable import Resolve
@testable import Vocabulary

@Suite struct HostConfigurationTests {
  private static func read(_ text: String, _ environment: [String: String] = [:]) -> (pools: [String], errors: [String])
  {
    do {
      let configuration = try HostConfiguration(text: text, path: "/etc/stack/config", environment: environment)
      return (configuration.pools.map { "\($0)" }, [])
    } catch {
      return ([], error.errors.map { "\($0.subject ?? ""): \($0.message)" })
    }
  }

  @Test func theFileSaysWhereSubnetsComeFrom() {
    #expect(Self.read("").pools == AddressAllocator.defaultPools.map(\.description))
    #expect(Self.read("# ours\n\n  pool = 10.9.0.0/16 # wide\n").pools == ["10.9.0.0/16"])
    #expect(Self.read("pool=10.9.0.0/16, 192.168.128.0/17").pools == ["10.9.0.0/16", "192.168.128.0/17"])
  }

  @Test func theEnvironmentIsOverTheFile() {
    #expect(Self.read("pool = 10.9.0.0/16", ["STACK_POOL": "10.8.0.0/16"]).pools == ["10.8.0.0/16"])
    #expect(Self.read("pool = 10.9.0.0/16", ["STACK_POOL": ""]).pools == ["10.9.0.0/16"])
  }

  @Test func mistakesAreAllReportedWithTheirPlace() {
    let read = Self.read("pools = 10.0.0.0/8\nnonsense\npool = 10.0.0.1/8, 10.0.0.0/31", ["STACK_POOL": "x"])
    #expect(
      read.errors == [
        "/etc/stack/config:1: there is no setting \"pools\"", "/etc/stack/config:2: \"nonsense\" is not a setting",
        "/etc/stack/config:3: \"10.0.0.1/8\" is no pool of addresses",
        "/etc/stack/config:3: \"10.0.0.0/31\" is no pool of addresses", "STACK_POOL: \"x\" is no pool of addresses",
      ])
  }
}
