import Addresses
import Vocabulary

/// A cable between two services: a veth pair with an end in the namespace of each, and nothing on the host. Or a service's
/// part of a link of the host.
package struct DesiredLink: Codable, Hashable, Sendable {
  package struct End: Codable, Hashable, Sendable {
    /// The instance's name.
    package var service: String
    /// The interface's name inside.
    package var interface: String
    package var mac: MACAddress
    package var addresses: [DesiredAddress]
    /// Delay, loss and rate of packets that this end sends; nil for none.
    package var condition: LinkCondition?
    /// The bridge of a switch that it is a port of; nil for a service's own interface.
    package var bridge: String?

    package init(
      service: String, interface: String, mac: MACAddress, addresses: [DesiredAddress], condition: LinkCondition? = nil
    ) {
      self.service = service
      self.interface = interface
      self.mac = mac
      self.addresses = addresses
      self.condition = condition
    }
  }
  package var first: End
  package var second: End
  package var mtu: UInt32?
  package var declaredAt: SourceLine?
  /// True if both ends have a link-local address of IPv6 (RFC 4291, 2.5.6) beside their own.
  @Sparse package var hasLinkLocal = false
  /// The change by hand while it was up, seen from the first end; nil for none.
  package var override: LinkOverride?
  /// The link of the host whose frames the first end has; nil where the second end is a service's too.
  package var hostLink: HostLink?

  package init(
    first: End, second: End, mtu: UInt32? = nil, declaredAt: SourceLine? = nil, hasLinkLocal: Bool = false,
    override: LinkOverride? = nil
  ) {
    self.first = first
    self.second = second
    self.mtu = mtu
    self.declaredAt = declaredAt
    self.hasLinkLocal = hasLinkLocal
    self.override = override
  }

  /// Those at services come first.
  package var ends: [End] { [first, second] }
  /// The ends at services.
  package var serviceEnds: [End] { hostLink == nil ? ends : [first] }

  /// All addresses of one of its ends, the link-local one too.
  package func everyAddress(of end: End) -> [DesiredAddress] {
    let own = DesiredAddress(address: .v6(end.mac.linkLocalAddress), length: 64)
    return end.addresses + (hasLinkLocal && end.bridge == nil ? [own] : [])
  }

  /// True if there is IPv6 at one of its ends.
  package func hasIPv6(at end: End) -> Bool { everyAddress(of: end).contains { !$0.address.isV4 } }

  /// The alias of both ends, by which they are found: `stack:web/r1:eth1/r2:eth1`.
  package func alias(in stack: String) -> String {
    LinkName.alias(stack: stack, "\(first.service):\(first.interface)", "\(second.service):\(second.interface)")
  }

  /// The conditions in force, seen from the first end: those changed by hand, else those of the file.
  package var currentConditions: LinkConditions { conditions.changed(by: override?.current) }

  package var isSetDown: Bool { override?.current.isDown ?? false }

  /// The file's conditions, seen from the first end.
  package var conditions: LinkConditions {
    var conditions = LinkConditions()
    conditions.egress = first.condition ?? LinkCondition()
    conditions.ingress = second.condition ?? LinkCondition()
    return conditions
  }

  /// The link without what can change while its services run.
  package var unshaped: DesiredLink {
    var bare = self
    (bare.first.condition, bare.second.condition, bare.override) = (nil, nil, nil)
    return bare
  }

  /// The same link, seen from its other end.
  package var reversed: DesiredLink {
    var other = self
    (other.first, other.second, other.override) = (second, first, override?.reversed)
    return other
  }

  /// `r1 and r2`
  package var services: String { "\(first.service) and \(second.service)" }

  package func touches(_ services: Set<String>) -> Bool { ends.contains { services.contains($0.service) } }
}

/// A link of the host that is an end of a cable: the service has a macvlan interface on it that takes all frames (mode
/// passthru in ip-link(8)). The link keeps its name, its addresses and its routes.
package struct HostLink: Codable, Hashable, Sendable {
  package var name: String
  /// Its flags before: whether it was up, and whether the host answered ARP there.
  package var wasUp: Bool
  package var usedARP: Bool
  /// The number of those who wanted frames to all multicast groups from it before; nil if the kernel did not tell.
  package var allMulticast: UInt32?

  package init(name: String, wasUp: Bool, usedARP: Bool, allMulticast: UInt32? = nil) {
    self.name = name
    self.wasUp = wasUp
    self.usedARP = usedARP
    self.allMulticast = allMulticast
  }

  /// The setting below /proc/sys that keeps IPv6 addresses while the link goes down.
  package var keepSetting: String { "net/ipv6/conf/\(name)/keep_addr_on_down" }
}

extension DesiredStack {
  /// The cables that end at a link of the host.
  package var hostCables: [DesiredLink] { links.filter { $0.hostLink != nil } }

  /// The groups of cables that carry each other's frames.
  package var cableDomains: CableDomains {
    CableDomains(
      links.map { ($0.first.service, $0.second.service) },
      switches: Set(services.filter { $0.switching != nil }.map(\.name)))
  }

  /// A service's ends of cables, each with an end that its frames reach: the other one, or those behind switches.
  package func farEnds(
    of service: DesiredService
  ) -> [(end: DesiredLink.End, other: DesiredLink.End, link: DesiredLink)] {
    let domains = cableDomains
    return links.indices.flatMap { index -> [(end: DesiredLink.End, other: DesiredLink.End, link: DesiredLink)] in
      guard let end = links[index].ends.first(where: { $0.service == service.name }), end.bridge == nil else {
        return []
      }
      let reached = links[index].ends.contains { $0.bridge != nil } ? domains.cables(with: index) : [index]
      return reached.flatMap { number in
        links[number].ends.filter { $0.service != service.name && $0.bridge == nil }.map { (end, $0, links[number]) }
      }
    }
  }

  /// The links of each service, as places in the list, with a name for each.
  ///
  /// The name is the service at the other end: `r2`. If several links lead to it, the service's own interface follows:
  /// `r2.eth1`.
  package var cableNames: [String: [(link: Int, name: String)]] {
    var counts: [Set<String>: Int] = [:]
    let pairs = links.map { Set($0.ends.map(\.service)) }
    for pair in pairs { counts[pair, default: 0] += 1 }
    var names: [String: [(link: Int, name: String)]] = [:]
    for (index, link) in links.enumerated() {
      for way in [link, link.reversed] {
        let suffix = counts[pairs[index], default: 1] > 1 ? ".\(way.first.interface)" : ""
        names[way.first.service, default: []].append((index, way.second.service + suffix))
      }
    }
    return names
  }
}

/// An address of an interface, in the network that its length gives.
package struct DesiredAddress: Codable, Hashable, Sendable, CustomStringConvertible {
  package var address: IPAddress
  package var length: Int
  /// True if an IPv4 address is good on its link alone: what goes beyond is sent from another.
  @Sparse package var isLinkScoped = false

  package init(address: IPAddress, length: Int, isLinkScoped: Bool = false) {
    self.address = address
    self.length = length
    self.isLinkScoped = isLinkScoped
  }

  package var network: IPPrefix? { IPPrefix(containing: address, length: length) }
  /// True if its network is the address alone.
  package var isSingle: Bool { length == address.octets.count * 8 }
  package var description: String { "\(address)/\(length)" }
}

/// The owner of the network namespace that a service runs in.
package enum NamespaceOwner: Usual, Sendable {
  case own
  case host
  /// The network namespace of another instance, by its name.
  case service(String)

  package init() { self = .own }
}
