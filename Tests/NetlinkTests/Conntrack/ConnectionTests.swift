import Glibc
import Testing
@testable import Addresses
@testable import Netfilter
@testable import Netlink

@Suite struct ConnectionTests {
  @Test func onlyMatchingConnectionsAreForgotten() throws {
    let host = try ThrowawayNamespace()
    // Connections are tracked in a namespace only once a rule wants to know.
    try host.run(
      "ip link set lo up; nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new accept'"
    )
    let sockets = TestSockets()
    host.within {
      for port: UInt16 in [53, 54] {
        sockets.bind(SOCK_DGRAM, .v4(.loopback), port)
        sockets.connect(SOCK_DGRAM, .v4(.loopback), port)
      }
      sockets.bind(SOCK_DGRAM, .v6(.loopback), 53)
      sockets.connect(SOCK_DGRAM, .v6(.loopback), 53)
    }
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    let connections = try socket.connections()
    #expect(Set(connections.compactMap(\.original.destinationPort)) == [53, 54])
    #expect(connections.count == 3)
    let first = try #require(connections.first { $0.original.destinationPort == 54 })
    #expect(first.transport == 17)
    #expect(first.original.destination == .v4(.loopback))
    #expect(first.reply.source == .v4(.loopback))
    #expect(first.reply.sourcePort == 54)

    let others = connections.filter { $0.original.destinationPort == 53 }
    try socket.forget(others)
    #expect(try socket.connections().map(\.original.destinationPort) == [54])
    // What has ended by itself is no error.
    try socket.forget(others)
  }
}
