import Addresses
import Intent
import Netfilter

/// Checks source addresses before connection tracking sees the packet. An answer to a packet that was never sent would
/// pass as part of a connection.
///
/// Packets on a network's bridge have addresses of that network, and its addresses arrive on no other link. Ports of
/// bridges are links of their own: the kernel delivers frames to 01:80:c2:00:00:0x through them, past the bridge
/// (br_handle_frame in net/bridge/br_input.c).
extension Firewall {
  /// A bridge, and whose packets may come in by it.
  struct Resident {
    var bridge: String
    var ranges: [AddressFamily: [AddressRange]]
  }

  static func residents(of stack: DesiredStack, _ whole: DesiredStack) -> [Resident] {
    let living = LivingAddresses(whole)
    return stack.networks.flatMap { network -> [Resident] in
      let ranges = living.sources(on: network)
      let further = stack.segments.filter { $0.network == network.name }.map(\.bridge)
      return ([network.bridge] + further + network.vlans.compactMap(\.bridge)).map {
        Resident(bridge: $0, ranges: ranges)
      }
    }
  }

  var sourceSets: [NftSet] {
    AddressFamily.allCases.flatMap { family -> [NftSet] in
      let living = residents.flatMap { resident in
        (resident.ranges[family] ?? []).map { NftElement(.interface(resident.bridge), family.value($0)) }
      }
      let subnets = AddressRange.merged(
        stack.networks.flatMap(\.allSubnets).filter { family.holds($0.network) }.map { AddressRange($0) })
      guard !subnets.isEmpty else { return [] }
      return [
        NftSet(
          "living\(family.suffix)", key: [.interfaceName, family.type], isInterval: true, elements: living,
          comment: "whose packets come in by which bridge"),
        NftSet(
          "subnets\(family.suffix)", key: [family.type], isInterval: true,
          elements: subnets.map { NftElement(family.value($0)) }, comment: "addresses that come in by no other link"),
        NftSet(
          "quoted\(family.suffix)", key: [family.quotedType], isInterval: true,
          elements: subnets.map { NftElement(family.quoted($0)) }, comment: "the same, as ICMP errors quote them"),
      ]
    }
  }

  var sourceMap: NftMap {
    let ports = whole.services.flatMap(\.attachments).flatMap(\.pairs).map(\.link)
    return NftMap(
      "entries", key: [.interfaceName], data: .verdict,
      elements: [NftMapElement([.interface("lo")], verdict: .accept)]
        + residents.map { NftMapElement([.interface($0.bridge)], verdict: .goto("from_network")) }
        + ports.map { NftMapElement([.interface($0)], verdict: .drop) },
      comment: "links that packets come in by")
  }

  var exitMap: NftMap {
    NftMap(
      "exits", key: [.interfaceName], data: .verdict,
      elements: [NftMapElement([.interface("lo")], verdict: .accept)]
        + residents.map { NftMapElement([.interface($0.bridge)], verdict: .accept) },
      comment: "links that packets to the stack's addresses leave by")
  }

  /// Packets to the stack's addresses leave by its bridges alone. Without its route, as when a bridge has lost its address, the
  /// host would send them by its uplink, and somebody there might answer.
  var keepHome: NftChain {
    NftChain(
      "keep_home", base: NftBase(.filter, .postrouting, priority: -300),
      rules: [NftRule([], .verdictMap([.outputInterface], map: "exits"))]
        + sourceFamilies.map { family in
          NftRule([.set([family.destination], named: "subnets\(family.suffix)")], .drop)
        })
  }

  private var sourceFamilies: [AddressFamily] {
    AddressFamily.allCases.filter { family in
      stack.networks.contains { $0.subnets.contains { family.holds($0.network) } }
    }
  }

  /// The rules of the base chain, for whatever comes in by any link.
  ///
  /// Nobody behind another link was on the way of a packet to an address of a network, so none has an error to report.
  /// Connection tracking would relate it to a connection between two services.
  var entryRules: [NftRule] {
    [NftRule([], .verdictMap([.inputInterface], map: "entries"))]
      + sourceFamilies.flatMap { family in
        [
          NftRule([.set([family.source], named: "subnets\(family.suffix)")], .drop),
          NftRule([family.icmpErrors, .set([family.quotedDestination], named: "quoted\(family.suffix)")], .drop),
        ]
      }
  }

  /// - Parameter rules: what else is decided here on packets from the stack's networks.
  func fromNetwork(then rules: [NftRule]) -> NftChain {
    NftChain(
      "from_network",
      rules: [NftRule([.field(.ipDestination, .prefix(.v4(.loopback)))], .drop)]
        + AddressFamily.allCases.map { family in
          sourceFamilies.contains(family)
            ? NftRule(
              [.set([.inputInterface, family.source], .notEqual, named: "living\(family.suffix)")], .drop)
            : NftRule([.field(.networkFamily, .family(family == .v4 ? .ip : .ip6))], .drop)
        } + rules, comment: "what comes in by the stack's bridges")
  }
}
