public import Netlink

/// What the host already uses: the ranges, ports and names that a stack must stay clear of.
///
/// A value, so that choosing is pure: ``HostFacts/observe(except:group:pools:folders:portsOfInterest:isJoining:parents:)`` fills it on a real host.
public struct HostFacts: Hashable, Sendable {
  /// A range of addresses with what uses it, as it reads in an error: `route 10.0.0.0/8 via eth0`.
  public struct UsedRange: Hashable, Sendable {
    public var prefix: IPPrefix
    public var user: String
    /// The link that leads there, for a route of the host.
    public var link: String?

    init(prefix: IPPrefix, user: String, link: String? = nil) {
      self.prefix = prefix
      self.user = user
      self.link = link
    }
  }
  /// A port of the host that somebody listens on or publishes.
  public struct UsedPort: Hashable, Sendable {
    /// `0.0.0.0` or `::` for all of a family, nil for all of both.
    public var address: IPAddress?
    public var port: UInt16
    public var transport: TransportProtocol
    public var user: PortUser
  }
  /// A network that another stack has made.
  public struct ForeignNetwork: Hashable, Sendable {
    public var stack: String
    public var network: DesiredNetwork

    /// How a file names it: `web/front`.
    var name: String { "\(stack)/\(network.name)" }

    /// Whether a file means it: by its stack and its own name, as `web_front`, or by the name that its file gives it.
    func isNamed(_ text: String) -> Bool {
      text == name || text == "\(stack)_\(network.name)" || text == network.givenName
    }
  }
  /// A service of another stack on a network.
  public struct Member: Hashable, Sendable {
    public var stack: String
    public var service: String
    public var address: IPv4Address
    public var names: [String]
  }
  public enum PortUser: Hashable, Sendable, CustomStringConvertible {
    case process(name: String, pid: Int32)
    /// A socket whose owner could not be found out.
    case socket
    /// Another stack.
    case stack(String)
    /// Another service of the same stack.
    case service(String)

    public var description: String {
      switch self {
      case .process(let name, let pid): "\(name) (pid \(pid))"
      case .socket: "a process that cannot be seen from here"
      case .stack(let name): "stack \(name)"
      case .service(let name): "service \(name)"
      }
    }
  }

  public var ranges: [UsedRange] = []
  public var ports: [UsedPort] = []
  /// Names of links that are not the stack's own.
  public var links: Set<String> = []
  /// Addresses of the links of the host that networks are made on; a link that is not there is not in it.
  public var parents: [String: [IPv4Address]] = [:]
  /// Networks of other stacks.
  public var networks: [ForeignNetwork] = []
  /// Who of other stacks is on a network, by its bridge.
  public var members: [String: [Member]] = [:]
  /// Device groups in use.
  public var linkGroups: Set<UInt32> = []
  /// nftables tables that are not the stack's own.
  public var tables: Set<String> = []
  /// Whether the kernel has netem. Looked at only for a stack that needs it.
  public var emulatesNetworks = true
  /// Whether the kernel's bridges tell VLANs apart. Looked at only for a stack that needs it.
  public var tellsVLANsApart = true
  /// Whether the kernel has IPv6.
  public var hasIPv6 = true
  /// What decides who the users of services are outside.
  var identities = IdentityFacts()
  /// Whether the frames that a bridge passes on can be shown to the firewall: the kernel has br_netfilter, and has it loaded.
  public var canFilterBridges = true
  /// Where new subnets come from.
  public var pools: [IPv4Prefix]

  public init(pools: [IPv4Prefix]) {
    self.pools = pools
  }
}
