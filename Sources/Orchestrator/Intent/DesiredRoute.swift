import Addresses
import Vocabulary

/// A route in a service's network namespace.
package struct DesiredRoute: Hashable, Sendable {
  /// A router that packets are given to.
  package struct Hop: Codable, Hashable, Sendable {
    package var gateway: IPAddress
    /// The interface that the router is on, where its address does not tell: a link-local one is on each.
    package var interface: String?

    package init(gateway: IPAddress, interface: String? = nil) {
      (self.gateway, self.interface) = (gateway, interface)
    }

    /// `10.1.0.2`, `fe80::1 dev eth0`
    package var text: String { "\(gateway)" + (interface.map { " dev \($0)" } ?? "") }
  }

  package var destination: IPPrefix
  /// Several are equally good: the kernel chooses by a hash of the flow. None where packets are dropped without a word.
  package var hops: [Hop]
  package var declaredAt: SourceLine?

  package init(destination: IPPrefix, hops: [Hop] = [], declaredAt: SourceLine? = nil) {
    self.destination = destination
    self.hops = hops
    self.declaredAt = declaredAt
  }

  /// `10.2.0.0/24 via 10.1.0.2`, and `10.2.0.0/24 nexthop via 10.1.0.2 nexthop via 10.1.0.3`
  package var text: String {
    switch hops.count {
    case 0: "blackhole \(destination)"
    case 1: "\(destination) via \(hops[0].text)"
    default: "\(destination)" + hops.map { " nexthop via \($0.text)" }.joined()
    }
  }
}

/// A route in a record. One by way of an address alone is written as in the records of earlier versions.
extension DesiredRoute: Codable {
  private enum Key: String, CodingKey {
    case destination, gateway, hops, declaredAt
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    let gateway = try fields.decodeIfPresent(IPAddress.self, forKey: .gateway)
    self.init(
      destination: try fields.decode(IPPrefix.self, forKey: .destination),
      hops: try fields.decodeIfPresent([Hop].self, forKey: .hops) ?? (gateway.map { [Hop(gateway: $0)] } ?? []),
      declaredAt: try fields.decodeIfPresent(SourceLine.self, forKey: .declaredAt))
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(destination, forKey: .destination)
    if hops.count == 1, hops[0].interface == nil {
      try fields.encode(hops[0].gateway, forKey: .gateway)
    } else if !hops.isEmpty {
      try fields.encode(hops, forKey: .hops)
    }
    try fields.encodeIfPresent(declaredAt, forKey: .declaredAt)
  }
}
