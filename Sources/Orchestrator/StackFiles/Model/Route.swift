import Addresses

extension StackFile {
  /// A route of a service.
  package struct Route: Sendable, Equatable {
    package enum Destination: Sendable, Hashable {
      case prefix(IPPrefix)
      /// `default`: where no other route leads, in each family that the router has an address of.
      case everywhere
      /// A network of the file, by its key.
      case network(String)
    }

    package enum Hop: Sendable, Hashable {
      /// With the interface that it is on, for a link-local one.
      case address(IPAddress, interface: String?)
      /// A service that shares a network or a link with this one.
      case service(String)
      /// Nowhere: packets are dropped without a word.
      case blackhole
    }

    package var destination: Located<Destination>
    /// Several are equally good. Nowhere stands alone.
    package var hops: [Located<Hop>]
  }

  /// The network namespace of a service without one of its own.
  package enum NetworkMode: Sendable, Hashable {
    /// Its own, with a loopback and what `links:` gives it.
    case isolated
    case host
    /// Another service's.
    case service(String)
  }
}

extension StackFile.Route.Destination: CustomStringConvertible {
  /// As it is written in a file.
  package var description: String {
    switch self {
    case .prefix(let prefix): "\(prefix)"
    case .everywhere: "default"
    case .network(let name): name
    }
  }
}

extension StackFile.Route {
  /// As it is written in a file, and as ip-route(8) has it.
  package var text: String {
    let texts = hops.compactMap(\.value.text)
    return switch texts.count {
    case 0: "blackhole \(destination.value)"
    case 1: "\(destination.value) via \(texts[0])"
    default: "\(destination.value)" + texts.map { " nexthop via \($0)" }.joined()
    }
  }
}

extension StackFile.Route.Hop {
  /// The hop as ip-route(8) has it; nil for a blackhole.
  var text: String? {
    switch self {
    case .address(let address, let interface): "\(address)" + (interface.map { " dev \($0)" } ?? "")
    case .service(let name): name
    case .blackhole: nil
    }
  }
}

extension StackFile.NetworkMode: CustomStringConvertible {
  /// As it is written in a file.
  package var description: String {
    switch self {
    case .isolated: "none"
    case .host: "host"
    case .service(let name): "service:\(name)"
    }
  }
}
