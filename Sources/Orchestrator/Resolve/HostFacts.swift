import Addresses
import Intent

/// The ranges, ports and names that the host already uses, and what its kernel has.
///
/// A value, so that choosing is pure. The room Host fills it on a real host (`HostFacts.observe`).
package struct HostFacts: Hashable, Sendable {
  /// A range of addresses with what uses it, as it reads in an error: `route 10.0.0.0/8 via eth0`.
  package struct UsedRange: Hashable, Sendable {
    var prefix: IPPrefix
    var user: String
    /// The link that leads there, for a route of the host.
    var link: String?

    package init(prefix: IPPrefix, user: String, link: String? = nil) {
      self.prefix = prefix
      self.user = user
      self.link = link
    }

    /// True if a route says only which way out is taken, and not that somebody is there.
    ///
    /// VPNs write a default route in parts: 0.0.0.0/1 and 128.0.0.0/1, or ::/3, 2000::/4, 3000::/4 and fc00::/7. The route of a
    /// subnet within is longer, so it goes on leading to the subnet. No private range of IPv4 is wider than /8. In IPv6, fewer than
    /// 32 bits cover thousands of sites, of which a unique local subnet is one by chance (RFC 4193, 3.2.3).
    package static func isWayOut(_ prefix: IPPrefix) -> Bool {
      if case .v4 = prefix { prefix.length < 8 } else { prefix.length < 32 }
    }
  }
  /// A port of the host that somebody listens on or publishes.
  package struct UsedPort: Hashable, Sendable {
    /// `0.0.0.0` or `::` for all of a family, nil for all of both.
    package var address: IPAddress?
    package var port: UInt16
    package var transport: TransportProtocol
    package var user: PortUser

    package init(address: IPAddress? = nil, port: UInt16, transport: TransportProtocol, user: PortUser) {
      self.address = address
      self.port = port
      self.transport = transport
      self.user = user
    }
  }
  /// A network that another stack has made.
  package struct ForeignNetwork: Hashable, Sendable {
    package var stack: String
    package var network: DesiredNetwork

    package init(stack: String, network: DesiredNetwork) {
      self.stack = stack
      self.network = network
    }

    /// Its name in the files of other stacks: `web/front`.
    package var name: String { "\(stack)/\(network.name)" }

    /// True if a file means it: by its stack and its own name, as `web_front`, or by the name that its file gives it.
    func isNamed(_ text: String) -> Bool {
      text == name || text == "\(stack)_\(network.name)" || text == network.givenName
    }
  }
  /// A service of another stack on a network.
  package struct Member: Hashable, Sendable {
    package var stack: String
    package var service: String
    package var address: IPv4Address
    package var names: [String]

    package init(stack: String, service: String, address: IPv4Address, names: [String]) {
      self.stack = stack
      self.service = service
      self.address = address
      self.names = names
    }
  }
  /// A link of the host that a cable is to end at.
  package struct FoundLink: Hashable, Sendable {
    package var link: HostLink
    package var mac: MACAddress?
    /// What it is already part of, or what the host needs it for, as it follows "it": `has the default route`. Nil for nothing.
    package var use: String?

    package init(_ link: HostLink, mac: MACAddress?, use: String?) {
      self.link = link
      self.mac = mac
      self.use = use
    }
  }
  package enum PortUser: Hashable, Sendable, CustomStringConvertible {
    case process(name: String, pid: Int32)
    /// A socket whose owner could not be found out.
    case socket
    /// Another stack.
    case stack(String)
    /// Another service of the same stack.
    case service(String)

    package var description: String {
      switch self {
      case .process(let name, let pid): "\(name) (pid \(pid))"
      case .socket: "a process that cannot be seen from here"
      case .stack(let name): "stack \(name)"
      case .service(let name): "service \(name)"
      }
    }
  }

  package var ranges: [UsedRange] = []
  package var ports: [UsedPort] = []
  /// Names of links that are not the stack's own.
  package var links: Set<String> = []
  /// Addresses of the links of the host that networks are made on; a link that is not there is not in it.
  package var parents: [String: [IPv4Address]] = [:]
  /// The links of the host that cables end at; a link that is not there is not in it.
  package var hostLinks: [String: FoundLink] = [:]
  /// Networks of other stacks.
  package var networks: [ForeignNetwork] = []
  /// The services of other stacks on a network, by its bridge.
  package var members: [String: [Member]] = [:]
  /// Volumes that other stacks may have too, by their names, with their folders: those of all stacks, and those of single
  /// stacks as `stack_volume`.
  package var volumes: [String: String] = [:]
  /// Device groups in use.
  package var linkGroups: Set<UInt32> = []
  /// nftables tables that are not the stack's own.
  package var tables: Set<String> = []
  /// True if the kernel has netem. Looked at only for a stack that needs it.
  package var emulatesNetworks = true
  /// True if the kernel's bridges tell VLANs apart. Looked at only for a stack that needs it.
  package var tellsVLANsApart = true
  /// True if the kernel has IPv6.
  package var hasIPv6 = true
  /// The facts that decide about user namespaces of services.
  package var identities = IdentityFacts()
  /// True if the frames that a bridge passes on can be shown to the firewall: the kernel has br_netfilter, and has it loaded.
  package var canFilterBridges = true
  /// The most connections that the host tracks; nil where connection tracking is not loaded.
  package var connectionTable: Int?
  /// The pools that new subnets come from.
  var pools: [IPv4Prefix]

  package init(pools: [IPv4Prefix]) {
    self.pools = pools
  }
}
