import Testing
@testable import Netlink

struct LinkNamesTests {
  @Test func namesStandBeforeTheColonsOfTheTable() {
    let table = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
          lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0
      web1-x7k2mq:       0       0    0    0    0     0          0         0        0       0    0    0    0     0    0
      eth%d@a.1: 1 2

      """
    #expect(LinkNames.parse(Array(table.utf8)) == ["lo", "web1-x7k2mq", "eth%d@a.1"])
    #expect(LinkNames.parse([]).isEmpty)
  }

  @Test func allLinksOfTheNamespaceAreNamed() throws {
    var socket = try NetlinkSocket(.route)
    let links = try socket.links()
    #expect(try LinkNames.all().isSuperset(of: links.filter { $0.name == "lo" }.map(\.name)))
    for link in links where link.name == "lo" { #expect(LinkNames.name(of: link.index) == "lo") }
    #expect(LinkNames.name(of: .max) == nil)
  }
}
