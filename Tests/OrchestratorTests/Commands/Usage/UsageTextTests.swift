import Vocabulary
import Testing
@testable import Orchestrator

@Suite struct UsageTextTests {
  @Test(
    arguments: [
      (0, "0B"), (999, "999B"), (1023, "1023B"), (1024, "1.00KiB"), (1536, "1.50KiB"), (12 << 20, "12.0MiB"),
      (512 << 20, "512MiB"), (3 << 30, "3.00GiB"),
    ] as [(UInt64, String)])
  func sizes(_ count: UInt64, _ text: String) {
    #expect(ByteSize.text(count) == text)
  }

  @Test func whatIsNotKnownIsADash() {
    let usage = ServiceUsage(stack: "web", service: "web1")
    #expect(usage.processorPercentage == "-" && usage.memoryText == "-" && usage.networkText == "-")
  }

  @Test func figuresAsDockerHasThem() {
    var usage = ServiceUsage(stack: "web", service: "web1")
    usage.processors = 0.5034
    (usage.memory, usage.memoryLimit) = (16 << 20, 64 << 20)
    (usage.received, usage.sent) = (1_234_000, 88)
    #expect(usage.processorPercentage == "50.34%" && usage.memoryPercentage == "25.00%")
    #expect(usage.memoryText == "16.0MiB / 64.0MiB" && usage.networkText == "1.23MB / 88B")
    #expect(usage.jsonLine.contains(#""CPUPerc":"50.34%""#) && usage.jsonLine.contains(#""MemoryBytes":16777216"#))
  }

  @Test func countersOfInterfaces() {
    let text = """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
          lo:   100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
        eth0:  1000      10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0
        eth1:1      10    0    0    0     0          0         0     2      20    0    0    0     0       0          0
      """
    let counters = InterfaceCounters(text)
    #expect(counters.received == 1001 && counters.sent == 2002)
  }
}
