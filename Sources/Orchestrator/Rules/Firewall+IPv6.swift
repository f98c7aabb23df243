import Addresses
import DNS
import Intent
import Netfilter

/// The sets and rules that look at IPv6 addresses. All other rules are for both families. A stack without IPv6 has none
/// of these.
extension Firewall {
  private var networks6: [(network: DesiredNetwork, ipv6: DesiredNetwork.IPv6)] {
    stack.networks.compactMap { network in network.ipv6.map { (network, $0) } }
  }

  var ipv6Sets: [NftSet] {
    guard !networks6.isEmpty else { return [] }
    return [
      NftSet(
        "own_gateway6", key: [.interfaceName, .ipv6Address],
        elements: networks6.map { NftElement(.interface($0.network.bridge), .address(.v6($0.ipv6.gateway))) },
        comment: "addresses of the host that a network may talk to: its own"),
      NftSet(
        "names6", key: [.interfaceName, .ipv6Address, .transportProtocol, .port],
        elements: networks6.flatMap { network, ipv6 in
          [NftValue.udp, .tcp].map {
            NftElement(.interface(network.bridge), .address(.v6(ipv6.gateway)), $0, .port(DNSPort.standard))
          }
        },
        comment: "where a network is told names"),
    ]
  }

  private var toNames: NftMatch {
    .set([.inputInterface, .ip6Destination, .transportProtocol, .destinationPort], named: "names6")
  }

  /// Questions for names, before connection tracking: as with IPv4.
  var ipv6QuestionRules: [NftRule] { networks6.isEmpty ? [] : [NftRule([toNames], .notrack)] }

  var ipv6AnswerRules: [NftRule] {
    guard !networks6.isEmpty else { return [] }
    return [
      NftRule([.set([.outputInterface, .ip6Source, .transportProtocol, .sourcePort], named: "names6")], .notrack)
    ]
  }

  /// The host's address in one network is no way into it from another.
  var ipv6InputRules: [NftRule] {
    guard !networks6.isEmpty else { return [] }
    return [
      NftRule([toNames], .accept),
      NftRule(
        [
          .set([.ip6Destination], named: "subnets6"),
          .set([.inputInterface, .ip6Destination], .notEqual, named: "own_gateway6"),
        ], .drop),
    ]
  }

  /// To a published port of the same network: as with IPv4.
  var ipv6Hairpins: [NftRule] {
    networks6.map { network, ipv6 in
      NftRule(
        [
          .field(.outputInterface, .interface(network.bridge)), .field(.ip6Source, .prefix(.v6(ipv6.subnet))),
          .status(.destinationTranslated),
        ], .masquerade)
    }
  }
}
