import Addresses
import Intent
import Netfilter

/// Published ports of services whose way to the client does not lead by the host: `default via r`.
///
/// The answer would go by way of another service, and nothing there translates it back. So to such a service the client has the
/// host's own address in the network, to which there is no other way.
extension Firewall {
  var detourSets: [NftSet] {
    AddressFamily.allCases.compactMap { family in
      let elements = detours(family)
      guard !elements.isEmpty else { return nil }
      return NftSet(
        "detoured\(family.suffix)", key: [family.type, family.type], isInterval: true, elements: elements,
        comment: "clients to whom services have another way than by the host")
    }
  }

  var detourRules: [NftRule] {
    AddressFamily.allCases.filter { !detours($0).isEmpty }.map { family in
      NftRule(
        [
          .set([.outputInterface], named: "bridges"), .status(.destinationTranslated),
          .set([family.source, family.destination], named: "detoured\(family.suffix)"),
        ], .masquerade)
    }
  }

  private func detours(_ family: AddressFamily) -> [NftElement] {
    stack.services.flatMap { service -> [NftElement] in
      guard !service.ports.isEmpty, let way = way(to: service, family == .v4 ? .ip : .ip6) else { return [] }
      // Without a gateway a route leads nowhere, as the file wants it.
      let elsewhere = service.routes.filter { route in route.hops.contains { $0.gateway != way.gateway } }.map(
        \.destination)
      let ranges = AddressRange.byFamily(elsewhere)[family] ?? []
      return ranges.map { NftElement(family.value($0), .address(way.address)) }
    }
  }
}
