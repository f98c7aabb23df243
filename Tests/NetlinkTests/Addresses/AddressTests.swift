import Foundation
import Testing
@testable import Addresses

@Suite struct AddressTests {
  @Test(arguments: ["0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "fd00:9::2", "2001:db8:0:1:1:1:1:1"])
  func canonicalTextSurvives(text: String) {
    #expect(IPAddress(text)?.description == text)
  }

  @Test(arguments: [
    "", "10.0.0", "10.0.0.1 ", "010.0.0.1", "10.0.0.256", "10.0.0.1\0", "fe80::1%eth0", "1::2::3", "g::",
  ])
  func whatIsNoAddressIsRefused(text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test func octetsAreInNetworkOrder() throws {
    #expect(try #require(IPAddress("10.0.0.1")).octets == [10, 0, 0, 1])
    #expect(try #require(IPAddress("fd00::1")).octets == [0xFD] + [UInt8](repeating: 0, count: 14) + [1])
    // As the kernel makes it.
    #expect(try #require(MACAddress("02:73:0a:00:0c:02")).linkLocalAddress == IPv6Address("fe80::73:aff:fe00:c02"))
    #expect(try #require(MACAddress("02:73:0a:00:00:01")).octets == [2, 0x73, 0x0A, 0, 0, 1])
  }

  @Test(arguments: ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.1/32", "::/0", "2001:db8::/32", "fd00::1/128"])
  func prefixesSurvive(text: String) {
    #expect(IPPrefix(text)?.description == text)
  }

  @Test(arguments: [
    "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0", "10.0.0.0/8/8", "::1/64", "::/129",
  ])
  func whatIsNoPrefixIsRefused(text: String) {
    #expect(IPPrefix(text) == nil)
  }

  @Test func prefixesEndWhereTheyEnd() throws {
    #expect(try #require(IPv4Prefix("10.9.0.0/22")).last.description == "10.9.3.255")
    #expect(IPv4Prefix.any.last.description == "255.255.255.255")
    #expect(try #require(IPv6Prefix("2001:db8::/33")).last.description == "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff")
    #expect(try #require(IPv6Prefix("fd00::/100")).last.description == "fd00::fff:ffff")
    #expect(IPv6Prefix.any.last.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
  }

  @Test func containmentAndOverlap() throws {
    let wide = try #require(IPPrefix("10.0.0.0/8"))
    #expect(wide.contains(try #require(IPAddress("10.255.0.1"))))
    #expect(!wide.contains(try #require(IPAddress("11.0.0.1"))))
    #expect(!wide.contains(.v6(.loopback)))
    let narrow = try #require(IPv4Prefix("10.1.0.0/16"))
    #expect(try #require(IPv4Prefix("10.0.0.0/8")).overlaps(narrow))
    #expect(narrow.overlaps(try #require(IPv4Prefix("10.0.0.0/8"))))
    #expect(!narrow.overlaps(try #require(IPv4Prefix("10.2.0.0/16"))))
  }

  @Test func valuesStandInJSONAsTheirText() throws {
    let addresses = [try #require(IPAddress("10.0.0.1")), .v6(.loopback)]
    let data = try JSONEncoder().encode(addresses)
    #expect(String(decoding: data, as: UTF8.self) == #"["10.0.0.1","::1"]"#)
    #expect(try JSONDecoder().decode([IPAddress].self, from: data) == addresses)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([IPPrefix].self, from: data) }
  }
}
