import Testing
@testable import Addresses
@testable import Netfilter

/// A table as a stack has it, with every kind of match, statement, set and map in it.
func sampleTable() throws -> NftTable {
  let web = try #require(IPAddress("10.9.0.2"))
  let web6 = try #require(IPAddress("fd00:9::2"))
  var table = NftTable(.inet, "stack_test", comment: "stack:test")
  table.sets = [
    NftSet(
      "bridges", key: [.interfaceName], elements: [NftElement(.interface("br-one")), NftElement(.interface("br-two"))],
      comment: "networks of the stack"),
    NftSet(
      "partners", key: [.ipv4Address], isInterval: true,
      elements: [
        NftElement(.prefix(try #require(IPPrefix("10.0.0.0/25"))), comment: "left"),
        NftElement(.prefix(try #require(IPPrefix("10.0.0.128/25")))),
        NftElement(.addresses(try #require(IPAddress("192.0.2.7")), try #require(IPAddress("192.0.2.9")))),
        NftElement(.prefix(try #require(IPPrefix("255.255.0.0/16")))),
      ]),
    NftSet(
      "partners6", key: [.ipv6Address], isInterval: true,
      elements: [NftElement(.prefix(try #require(IPPrefix("2001:db8::/32"))))]),
    NftSet(
      "flows", key: [.ipv4Address, .ipv4Address, .transportProtocol, .port], isInterval: true,
      elements: [
        NftElement(.prefix(try #require(IPPrefix("10.9.0.0/24"))), .address(web), .tcp, .ports(8000...8010)),
        NftElement(.address(web), .address(try #require(IPAddress("10.9.0.3"))), .udp, .port(53), comment: "names"),
      ]),
    NftSet(
      "ports", key: [.transportProtocol, .port], elements: [NftElement(.tcp, .port(80)), NftElement(.udp, .port(53))]),
  ]
  table.maps = [
    NftMap(
      "published", key: [.ipv4Address, .transportProtocol, .port], data: .values([.ipv4Address, .port]),
      elements: [
        NftMapElement(
          [.address(.v4(.loopback)), .tcp, .port(8080)], values: [.address(web), .port(80)], comment: "web1"),
        NftMapElement([.address(web), .udp, .port(53)], values: [.address(web), .port(5353)]),
      ]),
    NftMap(
      "published6", key: [.transportProtocol, .port], data: .values([.ipv6Address, .port]),
      elements: [NftMapElement([.tcp, .port(8080)], values: [.address(web6), .port(80)])]),
    NftMap(
      "sources6", key: [.transportProtocol, .port], data: .values([.ipv6Address]),
      elements: [NftMapElement([.tcp, .port(8080)], values: [.address(web6)])]),
    NftMap(
      "dispatch", key: [.interfaceName, .interfaceName], data: .verdict,
      elements: [
        NftMapElement([.interface("br-one"), .interface("br-two")], verdict: .goto("within"), comment: "allowed"),
        NftMapElement([.interface("br-two"), .interface("br-one")], verdict: .drop),
        NftMapElement([.interface("br-two"), .interface("br-two")], verdict: .jump("within")),
      ]),
  ]
  table.chains = [
    NftChain(
      "within",
      rules: [
        NftRule([.set([.ipSource, .ipDestination, .transportProtocol, .destinationPort], named: "flows")], .accept),
        NftRule([.set([.transportProtocol, .destinationPort], .notEqual, named: "ports")], .verdict(.return)),
        NftRule([.field(.transportProtocol, .tcp)], .reject(.tcpReset)),
        NftRule([], .reject(.tcpReset)),
        NftRule([], .reject(.administrativelyProhibited), comment: "web.stack:12"),
      ], comment: "what services say to each other"),
    NftChain(
      "forward", base: NftBase(.filter, .forward, priority: -5),
      rules: [
        NftRule([.state([.established, .related])], .accept),
        NftRule([.state(.invalid)], .drop),
        NftRule([.status(.destinationTranslated), .direction(.original)], .accept),
        NftRule([], .verdictMap([.inputInterface, .outputInterface], map: "dispatch")),
        NftRule(
          [.field(.inputInterface, .interface("br-*")), .field(.outputInterface, .notEqual, .interface("eth0"))], .drop),
        NftRule([.anyOf(.inputInterface, [.interface("a"), .interface("b")])], [.counter, .accept]),
        NftRule([.anyOf(.outputInterface, .notEqual, [.interface("a"), .interface("b")])], .drop),
        NftRule([.field(.ipSource, .prefix(try #require(IPPrefix("10.0.0.0/8"))))], .accept),
        NftRule([.field(.ipDestination, .notEqual, .prefix(try #require(IPPrefix("10.64.0.0/12"))))], .accept),
        NftRule(
          [
            .field(.ip6Source, .prefix(try #require(IPPrefix("fd00:9::/64")))), .field(.ip6Destination, .address(web6)),
          ], .accept),
        NftRule([.set([.ipSource], named: "partners"), .field(.ipDestination, .address(web))], .accept),
        NftRule([.set([.ip6Source], .notEqual, named: "partners6")], .drop),
        NftRule([.field(.transportProtocol, .tcp), .field(.destinationPort, .ports(8000...8999))], .accept),
        NftRule([.field(.transportProtocol, .udp), .field(.sourcePort, .notEqual, .ports(1...1023))], .accept),
        NftRule([.anyOf(.ipSource, [.prefix(try #require(IPPrefix("10.1.0.0/16"))), .address(web)])], .accept),
        NftRule([.field(.icmpType, .icmpType(8))], .accept),
        NftRule([.field(.icmpv6Type, .icmpType(128))], .accept),
        NftRule([.field(.networkFamily, .family(.ip6)), .field(.mark, .mark(7))], .log(prefix: "stack: ")),
        NftRule([.set([.inputInterface], named: "bridges")], .verdict(.jump("within"))),
        NftRule(
          [
            .field(.transportProtocol, .tcp), .field(.originalDestinationPort, .port(8080)),
            .field(.originalDestination, .address(web)),
          ], .accept),
      ]),
    NftChain(
      "before", base: NftBase(.nat, .prerouting, priority: -100),
      rules: [
        NftRule(
          [.field(.destinationType, .local)],
          .dnatMap(.ip, [.ipDestination, .transportProtocol, .destinationPort], map: "published")),
        NftRule(
          [.field(.networkFamily, .family(.ip6))],
          .dnatMap(.ip6, [.transportProtocol, .destinationPort], map: "published6")),
        NftRule([.field(.transportProtocol, .tcp)], .dnat(web, port: 80)),
        NftRule([.field(.transportProtocol, .tcp)], .dnat(web6, port: 80)),
        NftRule([], .dnat(web)),
      ]),
    NftChain(
      "after", base: NftBase(.nat, .postrouting, priority: 100, policy: .accept),
      rules: [
        NftRule(
          [
            .field(.ipSource, .prefix(try #require(IPPrefix("10.9.0.0/24")))),
            .set([.outputInterface], .notEqual, named: "bridges"),
          ], .masquerade),
        NftRule([], .snat(web)),
      ]),
    NftChain(
      "raw", base: NftBase(.filter, .prerouting, priority: -300, policy: .drop),
      rules: [
        NftRule([.field(.sourceType, .notEqual, .local)], [.notrack, .accept]),
        NftRule([], .assignMap(.ip6Source, [.transportProtocol, .destinationPort], map: "sources6")),
        NftRule([.field(.ip6Source, .address(.v6(.loopback)))], .assign(.ip6Destination, .v6(.loopback))),
        NftRule([.field(.ipSource, .address(web))], .assign(.ipDestination, .v4(.loopback))),
      ]),
  ]
  return table
}
