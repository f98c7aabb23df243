import Testing
@testable import Intent
@testable import Isolation

/// The resource limits that follow from the keys of a stack file.
@Suite struct LimitsTests {
  private func limits(_ keys: String) throws -> ResourceLimits {
    try #require(try resolve("services: {a: {command: x\(keys.isEmpty ? "" : ", " + keys)}}").services.first).limits
  }

  @Test func onlyProcessesAreLimitedByDefault() throws {
    #expect(try limits("") == ResourceLimits())
    #expect(try limits("").processes == .standard)
    #expect(try limits("pids_limit: -1").processes == .none)
    #expect(try limits("pids_limit: 0").processes == .none)
    #expect(try limits("pids_limit: 7").processes == .exactly(7))
  }

  @Test func memory() throws {
    let limits = try limits("mem_limit: 1.5g, memswap_limit: -1, mem_reservation: 512MB")
    #expect(limits.memory == 1_610_612_736)
    #expect(limits.memoryAndSwap == .max)
    #expect(limits.reservedMemory == 512 << 20)
    // 0 is no limit with Compose.
    #expect(try self.limits("mem_limit: 0, mem_reservation: 0") == ResourceLimits())
  }

  @Test(
    arguments: [("0.5", 50_000), ("2", 200_000), ("1.25", 125_000), (".5", 50_000), ("0.010009", 1000)]
      as [(String, UInt64)])
  func processors(_ text: String, _ quota: UInt64) throws {
    #expect(try limits("cpus: \(text)").processorQuota == quota)
    #expect(try limits("deploy: {resources: {limits: {cpus: '\(text)'}}}").processorQuota == quota)
  }

  @Test func bothPlacesMeanTheSame() throws {
    let keys = "deploy: {resources: {limits: {memory: 64M, pids: 9}, reservations: {memory: 32M, cpus: '0.5'}}}"
    let limits = try limits(keys)
    #expect(limits.memory == 64 << 20)
    #expect(limits.processes == .exactly(9))
    #expect(limits.reservedMemory == 32 << 20)
    #expect(limits.processorShares == 512)
    #expect(try self.limits(keys + ", mem_limit: 64m, pids_limit: 9") == limits)
  }

  @Test func blockIO() throws {
    let limits = try limits(
      "blkio_config: {weight: 300, weight_device: [{path: /dev/sda, weight: 400}], "
        + "device_write_bps: [{path: /dev/sda, rate: 10m}], device_read_iops: [{path: /dev/sdb, rate: 120}]}")
    #expect(limits.blockIO.weight == 300)
    #expect(limits.blockIO.deviceWeights == ["/dev/sda": 400])
    #expect(
      limits.blockIO.rates == [
        .init(.bytesWritten, device: "/dev/sda", rate: 10 << 20), .init(.reads, device: "/dev/sdb", rate: 120),
      ])
  }

  @Test func aChangeMakesTheServiceAnew() throws {
    let before = try resolve("services: {a: {command: x}}")
    let after = try resolve("services: {a: {command: x, mem_limit: 64m}}")
    let difference = after.services.first?.difference(
      from: try #require(before.services.first), old: before, new: after)
    #expect(difference == "resource limits changed")
  }
}
