import Addresses
import Intent

/// The sender of a check's packets.
package enum ReachPeer: Hashable, Sendable, CustomStringConvertible {
  /// An instance of a service.
  case service(String)
  case host

  package var description: String {
    switch self {
    case .service(let name): name
    case .host: "host"
    }
  }

  /// The name of the namespace that it is in; no service can be called so.
  package var place: String {
    switch self {
    case .service(let name): name
    case .host: "the host"
    }
  }
}

/// A column of the matrix: the target of packets, and their protocol and port.
package struct ReachColumn: Hashable, Sendable {
  enum Target: Hashable, Sendable {
    /// An instance by its addresses in a network, or in one of its VLANs.
    case service(String, network: String, vlan: UInt16?)
    /// An instance by its addresses on a link, by the link's place in the list. The other end is its service, with the
    /// instance's own interface where there are several links to it: `r2`, `r2.eth1`.
    case linked(String, to: String, link: Int)
    /// An instance by the addresses of its loopback.
    case loopback(String)
    /// The host by its addresses in a network.
    case host(network: String)
    /// A port of the host that leads to one of a service.
    case published(PublishedPort, service: String)
    /// The next machine on the host's way to everywhere else.
    case internet
  }

  var target: Target
  var traffic: Traffic
  /// True if the name alone would not say which address is meant.
  var namesNetwork = false

  /// `db:5432`, `db@back:53/udp`, `db icmp`, `host:8081`; for a link the service at its other end stands for the network.
  var label: String {
    switch target {
    case .service(let name, _, _): name + (namesNetwork ? target.place.map { "@\($0)" } ?? "" : "") + suffix
    case .linked(let name, let other, _): name + (namesNetwork ? "@\(other)" : "") + suffix
    case .loopback(let name): name + (namesNetwork ? "@\(FurtherAddress.loopback)" : "") + suffix
    case .host(let network): "host" + (namesNetwork ? "@\(network)" : "") + suffix
    case .internet: "internet" + suffix
    case .published(let port, _):
      "host:" + (port.hostAddress.map { "\($0.beforePort):" } ?? "") + "\(port.hostPort)"
        + (port.target.transport == .tcp ? "" : "/\(port.target.transport.rawValue)")
    }
  }

  /// True if a person means it by the name of a network: `front`, `lab.10` for one of its VLANs, or who is at the other end.
  func isIn(_ place: String) -> Bool {
    switch target {
    case .service(_, let network, _): return place == network || place == target.place
    case .linked(_, let other, _): return place == other || other.hasPrefix(place + ".")
    case .loopback: return place == FurtherAddress.loopback
    case .host(let network): return place == network
    case .published, .internet: return false
    }
  }

  private var suffix: String {
    switch traffic {
    case .tcp(let port): ":\(port)"
    case .udp(let port): ":\(port)/udp"
    case .echo: " icmp"
    }
  }
}

extension ReachColumn.Target {
  /// The service that is met; nil for the host and the internet.
  var service: String? {
    switch self {
    case .service(let name, _, _), .linked(let name, _, _), .loopback(let name): name
    case .host, .published, .internet: nil
    }
  }

  /// The network of a service's address: `front`, or `lab.10` for VLAN 10 of `lab`.
  var place: String? {
    guard case .service(_, let network, let vlan) = self else { return nil }
    return network + (vlan.map { ".\($0)" } ?? "")
  }
}

extension Traffic {
  var packet: PolicyPacket {
    switch self {
    case .tcp(let port): .tcp(port)
    case .udp(let port): .udp(port)
    case .echo: .icmp
    }
  }

  init(_ port: ListeningPort) {
    switch port.transport {
    case .tcp: self = .tcp(port.port)
    case .udp: self = .udp(port.port)
    }
  }

  /// `tcp`, `udp` or `icmp`.
  var transport: String {
    switch self {
    case .tcp: "tcp"
    case .udp: "udp"
    case .echo: "icmp"
    }
  }
}
