import CNetfilter
import Glibc
import SystemPackage
import Testing
@testable import Kernel
@testable import Netlink

@Suite struct NetlinkSocketTests {
  @Test func aSocketBelongsToTheNamespaceItWasOpenedIn() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link add name only-here type bridge")
    var there = try NetlinkSocket(.route, in: host.descriptor)
    #expect(try there.link(named: "only-here") != nil)
    // The caller's threads have stayed.
    var here = try NetlinkSocket(.route)
    #expect(try here.link(named: "only-here") == nil)
  }

  @Test func whatIsNoNamespaceIsRefused() throws {
    let descriptor = Descriptor(adopting: try FileDescriptor.open("/dev/null", .readOnly))
    do {
      _ = try NetlinkSocket(.route, in: descriptor)
      Issue.record("opened in /dev/null")
    } catch {
      #expect(error.action == "enter")
      #expect(error.errno == .invalidArgument)
    }
  }

  @Test func theDescriptorIsNotInherited() throws {
    let socket = try NetlinkSocket(.route)
    #expect(fcntl(socket.descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func anAnswerThatDoesNotFitIsAskedForAgain() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link add name a type bridge; ip link add name b type bridge")
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    socket.buffer = [UInt8](repeating: 0, count: 64)
    #expect(try socket.links().count == 3)
    #expect(socket.buffer.count > 64)
    socket.buffer = [UInt8](repeating: 0, count: 64)
    #expect(try socket.link(named: "b")?.name == "b")
  }

  @Test func forgedAndStaleAnswersAreNotTakenForTheKernels() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    let stranger = try NetlinkSocket(.route, in: host.descriptor)
    // Success, of the very number that the next request will have, from another process' socket.
    var forged = MessageWriter()
    forged.begin(type: UInt16(NLMSG_ERROR), flags: 0)
    for _ in 0..<5 { forged.put(UInt32(0)) }
    forged.end()
    var victim = sockaddr_nl()
    victim.nl_family = sa_family_t(AF_NETLINK)
    victim.nl_pid = socket.port
    let sender = stranger.descriptor.rawValue
    let stamped = Outgoing.stamp(forged.bytes, [0], first: socket.sequence + 1, flags: 0)
    let sent = withUnsafePointer(to: &victim) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(sender, stamped, stamped.count, 0, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
      }
    }
    #expect(sent == stamped.count)
    // A stale answer: a request whose answer nobody read.
    var unread = MessageWriter()
    unread.begin(type: UInt16(RTM_GETLINK), flags: UInt16(NLM_F_REQUEST))
    unread.putLinkHeader(index: 1)
    unread.end()
    try socket.send(unread.bytes)

    var batch = RouteBatch()
    batch.delete(.name("absent"))
    let error = #expect(throws: KernelError.self) { try socket.apply(batch) }
    #expect(error?.errno == .noSuchDevice)
    #expect(try socket.links().map(\.name) == ["lo"])
  }

  @Test func tearDownGoesOnThoughAnswersAreLost() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    // The smallest receive queue there is, and a socket that believes it large.
    var size: CInt = 1
    setsockopt(socket.descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    var batch = RouteBatch()
    for _ in 0..<5000 { batch.delete(.index(12_345)) }
    batch.create(Bridge("last"))
    let failures = socket.attempt(batch)
    #expect(failures.contains { $0.error.errno == .noBufferSpace })
    #expect(try socket.link(named: "last") != nil)
  }

  @Test func sequenceNumbersGoRoundWithoutZero() throws {
    var socket = try NetlinkSocket(.route)
    socket.sequence = UInt32.max - 3
    #expect(socket.takeSequence(10) == 1)
    #expect(socket.takeSequence(1) == 11)
  }

  @Test func listsAreWholeWhileLinksComeAndGo() async throws {
    let host = try ThrowawayNamespace()
    var steady = RouteBatch()
    for number in 0..<200 { steady.create(Bridge("steady\(number)")) }
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    try socket.apply(steady)
    let path = host.path
    let churn = Task.detached {
      try execute(
        "/usr/bin/nsenter",
        [
          "--net=\(path)", "--", "/bin/sh", "-c",
          "for n in $(seq 60); do ip link add name c$n type bridge; ip link del c$n; done",
        ])
    }
    for _ in 0..<40 {
      let names = try socket.links().map(\.name)
      #expect(names.count { $0.hasPrefix("steady") } == 200)
      #expect(Set(names).count == names.count)
    }
    _ = try await churn.value
  }
}
