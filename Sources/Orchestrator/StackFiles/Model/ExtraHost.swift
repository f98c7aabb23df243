import Addresses

extension StackFile {
  /// A name with its address, as `extra_hosts:` gives it.
  package struct ExtraHost: Sendable, Hashable {
    package enum Address: Sendable, Hashable {
      case fixed(IPAddress)
      /// `host-gateway`: wherever the service reaches its host.
      case gateway
    }

    package var name: Located<String>
    package var address: Located<Address>
  }
}

extension StackFile.ExtraHost.Address: CustomStringConvertible {
  /// As it is written in a file.
  package var description: String {
    switch self {
    case .fixed(let address): "\(address)"
    case .gateway: Self.gatewayWord
    }
  }

  static let gatewayWord = "host-gateway"
}
