import Foundation
import Testing
@testable import Kernel
@testable import Netlink

/// Queues as tc(8) sees them.
@Suite struct QueueKernelTests {
  private static func namespace() throws -> ThrowawayNamespace {
    let namespace = try ThrowawayNamespace()
    try namespace.run(
      "ip link add one index 10 type veth peer name two index 11; ip link set one up; ip link set two up")
    return namespace
  }

  @Test func aLimitOfRateIsMadeChangedAndRemoved() throws {
    let namespace = try Self.namespace()
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    var bucket = TokenBucket(rate: 1_250_000, burst: 6250, limit: 131_250)
    batch.create(QueueDiscipline(.tokenBucket(bucket), major: 1, on: 10))
    try socket.apply(batch)
    var seen = try #require(try namespace.json("tc -j qdisc show dev one").first)
    #expect(seen["kind"] as? String == "tbf")
    #expect(seen["handle"] as? String == "1:")
    #expect(seen["root"] as? Bool == true)
    var options = try #require(seen["options"] as? [String: Any])
    #expect(options["rate"] as? Int == 1_250_000)
    // tc counts back from the kernel's ticks.
    #expect((6240...6250).contains(options["burst"] as? Int ?? 0))

    bucket.rate = 125_000_000_000
    batch.removeAll()
    batch.change(QueueDiscipline(.tokenBucket(bucket), major: 1, on: 10))
    try socket.apply(batch)
    seen = try #require(try namespace.json("tc -j qdisc show dev one").first)
    options = try #require(seen["options"] as? [String: Any])
    #expect(options["rate"] as? Int == 125_000_000_000)

    batch.removeAll()
    batch.deleteQueues(of: 10)
    try socket.apply(batch)
    #expect(try namespace.json("tc -j qdisc show dev one").first?["kind"] as? String == "noqueue")
    #expect(try socket.queue(1, on: 10) == nil)
    batch.removeAll()
    batch.deleteQueues(of: 10, tolerating: .gone)
    try socket.apply(batch)
  }

  @Test func countersAreThoseOfTc() throws {
    let namespace = try Self.namespace()
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    batch.create(QueueDiscipline(.tokenBucket(TokenBucket(rate: 1000, burst: 3000, limit: 4000)), major: 1, on: 10))
    try socket.apply(batch)
    // Datagrams, which are dropped at once where there is no room. ping(8) would wait for room.
    try namespace.run(
      "ip addr add 192.0.2.1/24 dev one; ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev one; "
        + "bash -c 'for n in {1..20}; do head -c 1000 /dev/zero >/dev/udp/192.0.2.2/9; done'")
    let queue = try #require(try socket.queue(1, on: 10))
    #expect((queue.kind, queue.major) == ("tbf", 1))
    #expect(queue.counters.packets > 0)
    #expect(queue.counters.dropped > 0)
    let seen = try #require(try namespace.json("tc -j -s qdisc show dev one").first)
    #expect(seen["drops"] as? Int == Int(queue.counters.dropped))
  }

  @Test func aKernelWithoutNetemSaysSo() throws {
    let namespace = try Self.namespace()
    var emulator = NetworkEmulator(limit: 1000)
    emulator.delay = .milliseconds(50)
    emulator.loss = NetworkEmulator.Chance(partsPerMillion: 10_000)
    let discipline = QueueDiscipline(.emulator(emulator), major: 2, on: 10)
    let isThere = (try? namespace.run("tc qdisc add dev two root netem delay 1ms")) != nil
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    batch.create(discipline)
    guard isThere else {
      let error = #expect(throws: KernelError.self) { try socket.apply(batch) }
      #expect(error?.errno == .noSuchFileOrDirectory)
      #expect("\(error.map(String.init(describing:)) ?? "")".hasPrefix("cannot create a netem queue"))
      return
    }
    try socket.apply(batch)
    let seen = try #require(try namespace.json("tc -j qdisc show dev one").first?["options"] as? [String: Any])
    #expect((seen["delay"] as? [String: Any])?["delay"] as? Double == 0.05)
    #expect((seen["loss-random"] as? [String: Any])?["loss"] as? Double == 0.01)
  }
}
