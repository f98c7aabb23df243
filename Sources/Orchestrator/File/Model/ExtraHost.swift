import Netlink

extension StackFile {
  /// A name with its address, as `extra_hosts:` gives it.
  struct ExtraHost: Sendable, Hashable {
    enum Address: Sendable, Hashable {
      case fixed(IPAddress)
      /// `host-gateway`: wherever the service reaches its host.
      case gateway
    }

    var name: Located<String>
    var address: Located<Address>
  }
}

extension StackFile.ExtraHost.Address: CustomStringConvertible {
  /// As it is written in a file.
  var description: String {
    switch self {
    case .fixed(let address): "\(address)"
    case .gateway: Self.gatewayWord
    }
  }

  static let gatewayWord = "host-gateway"
}
