import Glibc
import TestSupport
import Testing
@testable import Intent
@testable import Kernel
@testable import Netfilter
@testable import Rules

@Suite struct FirewallTests {
  private static let text = """
    name: shop
    services:
      web: {command: [x], networks: [front, back], ports: ["8080:80", "127.0.0.1:8443:443", "5353:53/udp"]}
      db: {command: [x], networks: [back], ports: ["5432:5432"]}
    networks:
      front: {}
      back: {internal: true}
    """

  @Test func theTableOfTwoNetworksWithPorts() throws {
    try Golden.expect(Firewall(try resolve(Self.text)).table.rendered, "firewall.nft")
  }

  @Test func publishedPortsLeadToWhereTheDefaultRouteIs() throws {
    let stack = try resolve(Self.text)
    let rendered = Firewall(stack).table.rendered
    let front = try #require(stack.service(named: "web")?.attachments.first { $0.network == "front" })
    #expect(front.isDefaultRoute)
    #expect(rendered.contains("tcp . 8080 : \(front.address) . 80"))
    #expect(rendered.contains("127.0.0.1 . tcp . 8443 : \(front.address) . 443"))
    #expect(rendered.contains("udp . 5353 : \(front.address) . 53"))
  }

  @Test func theNumberOfRulesDoesNotGrowWithServices() throws {
    func rules(_ scale: Int) throws -> Int {
      let stack = try resolve("services: {web: {command: [x], scale: \(scale), ports: ['80']}}")
      return Firewall(stack).table.chains.reduce(0) { $0 + $1.rules.count }
    }
    #expect(try rules(1) == rules(100))
  }

  /// nft itself reads it, in a network namespace that is gone afterwards. As root only.
  @Test(
    .enabled(if: geteuid() == 0),
    arguments: [
      text, "services: {a: {command: [x]}}",
      "services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {internal: true}}",
    ])
  func nftAcceptsIt(text: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/table.nft"
    try Files.overwrite(path, with: Array(Firewall(try resolve(text)).table.rendered.utf8), mode: [.ownerReadWrite])
    let outcome = shell("unshare -n nft -c -f \(path)")
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
