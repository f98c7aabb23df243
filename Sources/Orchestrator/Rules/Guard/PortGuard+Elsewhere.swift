import Addresses
import Intent
import Netfilter

/// Packets to an address that the receiver has on another network, or on a link.
///
/// Linux takes a packet for any of its own addresses in by any interface. So a neighbour on one network would reach what
/// listens on an address of a network that it is not on. Services that forward are exempt: they route to their own addresses too.
extension PortGuard {
  private func isElsewhere(_ family: AddressFamily) -> NftMatch {
    .set([.outputInterface, family.destination], named: "elsewhere\(family.suffix)")
  }

  private var elsewhereFamilies: [AddressFamily] {
    families.filter { family in all.contains { $0.elsewhere.contains(where: family.holds) } }
  }

  var elsewhereSets: [NftSet] {
    elsewhereFamilies.map { family in
      NftSet(
        "elsewhere\(family.suffix)", key: [.interfaceName, family.type],
        elements: all.flatMap { port in
          port.elsewhere.filter(family.holds).map { NftElement(.interface(port.link), .address($0)) }
        }, comment: "addresses that who is behind the port has elsewhere")
    }
  }

  /// The base chain of frames that the bridge passes on. Ports of networks that rules are about decide for themselves.
  var passing: [NftChain] {
    let apart = elsewhereFamilies.map { NftRule([isElsewhere($0)], .drop) }
    let judged = judgement == nil ? [] : [NftRule([], .verdictMap([.outputInterface], map: "leaving"))]
    guard !apart.isEmpty || !judged.isEmpty else { return [] }
    return [NftChain("passing", base: NftBase(.filter, .forward, priority: -20), rules: judged + apart)]
      + (judgement?.chains(leading: elsewhereFamilies.map(isElsewhere)) ?? [])
  }
}
