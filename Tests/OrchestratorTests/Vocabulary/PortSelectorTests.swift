import Testing
@testable import Vocabulary

/// Ports of rules, as files write them.
@Suite struct PortSelectorTests {
  @Test(arguments: [
    ("80", "80/tcp"), ("80/udp", "80/udp"), ("1-65535/udp", "1-65535/udp"), ("5-6", "5-6/tcp"), ("7-7", "7/tcp"),
    ("tcp", "tcp"), ("udp", "udp"), ("icmp", "icmp"),
  ])
  func whatIsOne(_ text: String, _ shown: String) {
    #expect(PortSelector(text)?.description == shown)
  }

  @Test(arguments: [
    "", "-", "1-", "-1", "1-2-3", "1--3", "0", "0-5", "65536", "1-65536", "6-5", "1/", "1/2", "1/tcp/udp", "80/icmp",
    "80/sctp", "+80", " 80", "８０", "80,81", "http",
  ])
  func whatIsNone(_ text: String) {
    #expect(PortSelector(text) == nil)
  }

  @Test func rangesOfPublishedPortsHaveTwoEnds() {
    for (host, container) in [("1-2-3", "80"), ("8080", "1-2-3"), ("1-", "80"), ("-1", "80"), ("1--2", "80-81")] {
      let errors = diagnose("services: {a: {command: [x], ports: [\"\(host):\(container)\"]}}")
      #expect(errors.contains("is not a port"), "\(host):\(container): \(errors)")
    }
  }
}
