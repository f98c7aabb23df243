import Netlink

extension StackFile {
  /// A cable between two services: an interface in each, and nothing else.
  struct Link: Sendable, Equatable {
    struct End: Sendable, Equatable {
      var service: Located<String>
      /// Nil: the next free one of `eth0`, `eth1` and so on.
      var interface: Located<String>?
      var mac: Located<MACAddress>?
      /// With the length of their network.
      var addresses: [Located<InterfaceAddress>] = []

      init(service: Located<String>) { self.service = service }
    }

    /// An address of an interface in the network that it is in.
    struct InterfaceAddress: Sendable, Hashable, CustomStringConvertible {
      var address: IPAddress
      var length: Int

      var network: IPPrefix? { IPPrefix(containing: address, length: length) }
      var description: String { "\(address)/\(length)" }
    }

    var first: End
    var second: End
    /// The largest packet in octets: 68...65535. Nil: the kernel's 1500.
    var mtu: Located<Int>?
    var span: Span

    var ends: [End] { [first, second] }
  }
}
