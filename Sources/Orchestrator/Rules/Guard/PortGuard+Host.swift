import Addresses
import Intent
import Netfilter

/// Frames that a service sends to the host itself.
extension PortGuard {
  /// Networks in which the host has an address.
  private var networks: [DesiredNetwork] { stack.networks.filter(\.hasBridge) }

  var hosts: NftSet {
    NftSet(
      "hosts", key: [.hardwareAddress], elements: networks.map { NftElement(.hardware($0.mac)) },
      comment: "the host's hardware address in each network")
  }

  /// Neighbours reach each other by the bridge. By way of the host, a packet for an unused address would have the host look for its
  /// owner: each is an entry of the neighbour table, which all network namespaces share (gc_thresh3 in arp(7)).
  func detours(_ family: AddressFamily) -> NftSet? {
    let elements = networks.flatMap { network in
      elsewhere(family, on: network).map { NftElement(.hardware(network.mac), family.value($0)) }
    }
    guard !elements.isEmpty else { return nil }
    return NftSet(
      "detours\(family.suffix)", key: [.hardwareAddress, family.type], isInterval: true, elements: elements,
      comment: "addresses of a network that are not the host's, by way of the host")
  }

  private func elsewhere(_ family: AddressFamily, on network: DesiredNetwork) -> [AddressRange] {
    let linkLocal = IPPrefix("fe80::/10").map { network.ipv6 == nil ? [] : [$0] } ?? []
    let own = network.hostAddresses + [.v6(network.mac.linkLocalAddress)]
    let held = own.filter(family.holds).map { AddressRange($0) }
    return (network.subnets + linkLocal).filter { family.holds($0.network) }.map { AddressRange($0) }.flatMap { whole in
      AddressRange.complement(of: held.filter { whole.meets($0) }, in: whole)
    }
  }

  var detourRules: [NftRule] {
    families.filter { detours($0) != nil }.map { family in
      NftRule(
        [
          .set([.etherDestination], named: "hosts"),
          .set([.etherDestination, family.destination], named: "detours\(family.suffix)"),
        ], .drop)
    }
  }
}
