import CNetfilter
import SystemPackage
import Testing
@testable import Netlink

/// The exact octets of each request, by linux/rtnetlink.h and linux/pkt_sched.h; for netem they are those that strace(1) shows
/// tc(8) sending.
@Suite struct QueueMessageTests {
  @Test func tokenBucket() {
    var batch = RouteBatch()
    batch.create(
      QueueDiscipline(.tokenBucket(TokenBucket(rate: 1_250_000, burst: 6250, limit: 131_250)), major: 1, on: 11))
    expect(
      batch,
      "60000000 2400 0105 01000000 00000000",  // RTM_NEWQDISC, CREATE and REPLACE
      "00000000 0b000000 00000100 ffffffff 00000000",  // struct tcmsg: the link, handle 1:, TC_H_ROOT
      "0800 0100 74626600",  // TCA_KIND "tbf"
      "3400 0200",  // TCA_OPTIONS
      "2800 0100",  // TCA_TBF_PARMS
      "00 01 0000 0000 0000 d0121300",  // struct tc_ratespec: TC_LINKLAYER_ETHERNET, 1,250,000
      "00000000 00000000 00000000",  // no peak rate
      "b2000200 00000000 00000000",  // limit, buffer, mtu
      "0800 0600 6a180000")  // TCA_TBF_BURST
  }

  @Test func aRateThatDoesNotFit() {
    var batch = RouteBatch()
    batch.change(
      QueueDiscipline(.tokenBucket(TokenBucket(rate: 12_500_000_000, burst: 1, limit: 2)), major: 1, on: 11))
    expect(
      batch,
      "6c000000 2400 0100 01000000 00000000", "00000000 0b000000 00000100 ffffffff 00000000", "0800 0100 74626600",
      "4000 0200", "2800 0100 00 01 0000 0000 0000 ffffffff", "00000000 00000000 00000000",
      "02000000 00000000 00000000",
      "0800 0600 01000000",
      "0c00 0400 00dd0ee902000000")  // TCA_TBF_RATE64
  }

  @Test func emulator() {
    var emulator = NetworkEmulator(limit: 1000)
    emulator.delay = .milliseconds(50)
    emulator.jitter = .milliseconds(5)
    emulator.loss = NetworkEmulator.Chance(partsPerMillion: 10_000)
    emulator.duplication = NetworkEmulator.Chance(partsPerMillion: 20_000)
    emulator.reordering = NetworkEmulator.Chance(partsPerMillion: 250_000)
    emulator.corruption = NetworkEmulator.Chance(partsPerMillion: 1000)
    var batch = RouteBatch()
    batch.create(QueueDiscipline(.emulator(emulator), major: 16, on: 11, at: .below(major: 1, minor: 1)))
    expect(
      batch,
      "64000000 2400 0105 01000000 00000000",
      "00000000 0b000000 00001000 01000100 00000000",  // handle 10:, parent 1:1
      "0a00 0100 6e6574656d00 0000",  // TCA_KIND "netem"
      "3400 0200",  // TCA_OPTIONS, which begins with struct tc_netem_qopt
      "c2eb0b00 e8030000 295c8f02 01000000 52b81e05 2d310100",  // latency, limit, loss, gap, duplicate, jitter
      "0c00 0300 00000040 00000000",  // TCA_NETEM_REORDER
      "0c00 0400 37894100 00000000")  // TCA_NETEM_CORRUPT
  }

  @Test func deletion() {
    var batch = RouteBatch()
    batch.deleteQueues(of: 11)
    expect(batch, "24000000 2500 0100 01000000 00000000", "00000000 0b000000 00000000 ffffffff 00000000")
  }

  @Test func whatIsTooMuchIsAll() {
    #expect(NetworkEmulator.Chance(partsPerMillion: 1_000_000).rawValue == .max)
    #expect(NetworkEmulator.Chance(partsPerMillion: 2_000_000).rawValue == .max)
    var emulator = NetworkEmulator(limit: 1)
    emulator.delay = .seconds(3600)
    var batch = RouteBatch()
    batch.create(QueueDiscipline(.emulator(emulator), major: 2, on: 1))
    #expect(Array(batch.writer.bytes[52..<56]) == [0xFF, 0xFF, 0xFF, 0xFF])
  }

  private func expect(_ batch: RouteBatch, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    let bytes = Outgoing.stamp(
      batch.writer.bytes, batch.envelopes.map(\.range.lowerBound), first: 1, flags: UInt16(NLM_F_REQUEST))
    #expect(hexadecimal(bytes) == parts.joined().filter { $0 != " " }, sourceLocation: sourceLocation)
  }
}
