import Addresses
import Vocabulary

extension StackFile {
  /// An address of an interface in the network that it is in.
  package struct InterfaceAddress: Sendable, Hashable, CustomStringConvertible {
    package var address: IPAddress
    package var length: Int
    /// True if an IPv4 address is good on its link alone.
    package var isLinkScoped = false

    package var network: IPPrefix? { IPPrefix(containing: address, length: length) }
    /// True if its network is the address alone.
    package var isSingle: Bool { length == address.octets.count * 8 }
    /// As ip-address(8) has it.
    package var description: String { "\(address)/\(length)" + (isLinkScoped ? " scope link" : "") }
  }

  /// A cable between two services: an interface in each, and nothing else. One end may be a link of the host instead.
  package struct Link: Sendable, Equatable {
    package struct End: Sendable, Equatable {
      package var service: Located<String>
      /// Nil: the next free one of `eth0`, `eth1` and so on.
      package var interface: Located<String>?
      package var mac: Located<MACAddress>?
      /// The link of the host that is the end, in place of a service's interface.
      package var hostLink: Located<String>?
      /// With the length of their network.
      package var addresses: [Located<InterfaceAddress>] = []
      /// Delay, loss and rate of packets that this end sends and receives.
      var conditions = DeclaredConditions()

      init(service: Located<String>) { self.service = service }

      /// The name by which files mean the host at an end.
      package static let host = "host"
    }

    /// The IPv6 addresses that a link has in addition to those in the file.
    package enum LinkIPv6: String, Sendable, CaseIterable {
      case linkLocal = "link-local"
      case none

      /// The smallest MTU of a link that carries IPv6, in bytes (RFC 8200, section 5).
      package static let leastMTU = 1280
    }

    package var first: End
    package var second: End
    /// The largest packet in octets: 68...65535. Nil: the kernel's 1500.
    package var mtu: Located<Int>?
    /// Nil: link-local addresses where the ends have no others.
    package var ipv6: Located<LinkIPv6>?
    /// Delay, loss and rate of both directions, where an end sets none.
    var conditions = DeclaredCondition()
    package var span: Span

    package var ends: [End] { [first, second] }
    /// The link of the host that is one of its ends.
    package var hostLink: Located<String>? { ends.compactMap(\.hostLink).first }

    /// True if both ends have a link-local address of IPv6.
    package var hasLinkLocal: Bool {
      if let ipv6 { return ipv6.value == .linkLocal }
      return ends.allSatisfy(\.addresses.isEmpty) && (mtu?.value ?? LinkIPv6.leastMTU) >= LinkIPv6.leastMTU
    }

    /// The conditions from one end to the other. The receiver's values override the link's, and the sender's override
    /// both.
    package func declared(from sender: End, to receiver: End) -> DeclaredCondition {
      conditions.overlaid(by: receiver.conditions[.ingress]).overlaid(by: sender.conditions[.egress])
    }
  }
}
