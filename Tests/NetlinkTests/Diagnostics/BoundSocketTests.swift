import Glibc
import Testing
@testable import Addresses
@testable import Netlink

@Suite struct BoundSocketTests {
  @Test func listenersAreFoundWhereTheyAre() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link set lo up")
    var socket = try NetlinkSocket(.sockDiag, in: host.descriptor)
    #expect(try socket.boundSockets().isEmpty)

    let sockets = TestSockets()
    host.within {
      sockets.bind(SOCK_STREAM, .v4(.loopback), 8080)
      sockets.bind(SOCK_STREAM, .v6(.any), 80)
      sockets.bind(SOCK_DGRAM, .v4(.any), 53)
      sockets.bind(SOCK_DGRAM, .v6(.loopback), 53)
      // A client, which waits for nobody.
      sockets.connect(SOCK_STREAM, .v4(.loopback), 8080)
    }
    let found = try socket.boundSockets()
    #expect(
      Set(found.map { "\($0.transport) \($0.address) \($0.port) \($0.isIPv6Only)" }) == [
        "tcp 127.0.0.1 8080 false", "tcp :: 80 false", "udp 0.0.0.0 53 false", "udp ::1 53 true",
      ])
    #expect(found.allSatisfy { $0.user == 0 && $0.link == nil })
    // ss lists the same inodes.
    let listing = try host.run("ss -Hlntue")
    #expect(found.allSatisfy { listing.contains("ino:\($0.inode) ") })
    #expect(listing.split(separator: "\n").count == found.count)
    #expect(try socket.boundSockets([.udp]).count == 2)
  }
}
