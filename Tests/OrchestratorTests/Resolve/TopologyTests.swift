import Testing
@testable import Intent
@testable import Names
@testable import Resolve

/// Interfaces as the file names them, and what they carry.
@Suite struct TopologyTests {
  @Test func interfacesAreNamedInTheOrderOfTheFilePastGivenNames() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], networks: {one: {}, two: {interface_name: eth0}, three: {}, four: {interface_name: lan}}}
      networks: {one: {}, two: {}, three: {}, four: {}}
      """)
    #expect(stack.services[0].attachments.map(\.interface) == ["eth1", "eth0", "eth2", "lan"])
  }

  @Test func theServicesOwnMACAddressIsThatOfItsFirstInterface() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], mac_address: "02:00:00:00:00:07", networks: [one, two]}
        b: {command: [x], mac_address: "02:00:00:00:00:08"}
      networks: {one: {}, two: {}}
      """)
    #expect("\(stack.services[0].attachments[0].mac)" == "02:00:00:00:00:07")
    #expect("\(stack.services[0].attachments[1].mac)" != "02:00:00:00:00:07")
    #expect("\(stack.services[1].attachments[0].mac)" == "02:00:00:00:00:08")
  }

  @Test(arguments: ["mtu: 9000", "driver_opts: {com.docker.network.driver.mtu: \"9000\"}"])
  func aNetworkHasAnMTU(_ keys: String) throws {
    let stack = try resolve("services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {\(keys)}}")
    #expect(stack.networks[0].mtu == 9000)
  }

  @Test func extraHostsAreReadInAllForms() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], extra_hosts: ["one:10.0.0.1", "two=::1", "three:[fd00::3]", "four:fd00::4", "up=host-gateway"]}
        # Within an entry, a name is text, whatever it would be as a value of its own.
        c: {command: [x], extra_hosts: ["no:10.0.0.5", "12=10.0.0.6"]}
        b: {command: [x], extra_hosts: {one: 10.0.0.1, two: [10.0.0.2, "::2"]}}
      """)
    #expect(
      stack.services[0].extraHosts.map { "\($0.name) \($0.address)" } == [
        "one 10.0.0.1", "two ::1", "three fd00::3", "four fd00::4", "up 10.208.0.1",
      ])
    #expect(
      stack.services[2].extraHosts.map { "\($0.name) \($0.address)" } == ["one 10.0.0.1", "two 10.0.0.2", "two ::2"])
    #expect(stack.services[1].extraHosts.map { "\($0.name) \($0.address)" } == ["no 10.0.0.5", "12 10.0.0.6"])
  }

  @Test func aServiceWithExtraHostsHasAHostsFileOfItsOwn() throws {
    let stack = try resolve(
      "services: {a: {command: [x], extra_hosts: [\"files:10.0.0.1\"]}, b: {command: [x]}, c: {command: [x]}}")
    let files = NameViews(stack).hostsFiles(for: stack)
    #expect(files.count == 2)
    #expect(files[0].text.contains("10.0.0.1\tfiles\n"))
    #expect(!files[1].text.contains("files"))
  }

  @Test func subnetsComeFromSeveralPoolsInTurn() throws {
    var facts = HostFacts.using(["10.50.0.0/24"], pool: "10.50.0.0/23")
    facts.pools += HostFacts.using(pool: "10.60.0.0/24").pools
    let stack = try resolve(
      "services: {a: {command: [x], networks: [one, two]}}\nnetworks: {one: {}, two: {}}", on: facts)
    #expect(stack.networks.map { "\($0.subnet)" } == ["10.50.1.0/24", "10.60.0.0/24"])
  }
}
