import Addresses
import CNetfilter

/// A route (ip-route(8)).
public struct Route: Hashable, Sendable {
  /// The effect on a packet that it matches (rtm_type). Other kinds, which only a dump has, stand as their number.
  public struct Kind: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Goes to the gateway or to the link.
    public static let unicast = Kind(rawValue: 1)
    public static let local = Kind(rawValue: 2)
    /// Is dropped without a word.
    public static let blackhole = Kind(rawValue: 6)
    /// Is refused with ICMP host unreachable.
    public static let unreachable = Kind(rawValue: 7)
    /// Is refused with ICMP administratively prohibited.
    public static let prohibit = Kind(rawValue: 8)
  }

  /// The origin of routes to the networks of a link's addresses (RTPROT_KERNEL).
  public static let kernelOrigin: UInt8 = 2

  /// One of several ways that the kernel chooses among, by a hash of the flow.
  public struct NextHop: Hashable, Sendable {
    /// nil where the destination is on the link.
    public var gateway: IPAddress?
    /// By index.
    public var link: UInt32

    public init(gateway: IPAddress? = nil, link: UInt32) {
      self.gateway = gateway
      self.link = link
    }
  }

  /// The main routing table.
  public static let mainTable: UInt32 = 254

  public var destination: IPPrefix
  public var kind = Kind.unicast
  /// The next hop, of the destination's family.
  public var gateway: IPAddress?
  /// The link it leaves by, by index; nil where the gateway says it.
  public var link: UInt32?
  /// The address that local sockets send from.
  public var source: IPAddress?
  public var table = Route.mainTable
  /// The preference among routes to one destination, the lowest first. The kernel makes 1024 of none in IPv6.
  public var metric: UInt32?
  /// The next hops of a multipath route (RTA_MULTIPATH). A link of 0 is left to the kernel.
  public var nextHops: [NextHop] = []
  /// True if the gateway is on the link though no route says so.
  public var isOnLink = false
  /// The maker of the route (rtm_protocol): 4 is an administrator, 2 the kernel. Zero in a deletion stands for any.
  public var origin: UInt8 = 4

  public init(to destination: IPPrefix) {
    self.destination = destination
  }

  public init(to destination: IPPrefix, via gateway: IPAddress, on link: UInt32? = nil) {
    self.destination = destination
    self.gateway = gateway
    self.link = link
  }

  public init(to destination: IPPrefix, on link: UInt32) {
    self.destination = destination
    self.link = link
  }
}

extension RouteBatch {
  public mutating func add(_ route: Route, tolerating tolerance: Tolerance = .none) {
    append(
      "add route to", .prefix(route.destination), tolerating: tolerance, type: Int(RTM_NEWROUTE),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { $0.put(route, scope: route.scope) }
  }

  /// Adds a route, in place of one with the same destination, metric and table if there is one.
  public mutating func replace(_ route: Route) {
    append(
      "set route to", .prefix(route.destination), tolerating: .none, type: Int(RTM_NEWROUTE),
      flags: NLM_F_CREATE | NLM_F_REPLACE
    ) { $0.put(route, scope: route.scope) }
  }

  public mutating func delete(_ route: Route, tolerating tolerance: Tolerance = .none) {
    append(
      "delete route to", .prefix(route.destination), tolerating: tolerance, type: Int(RTM_DELROUTE), flags: 0
    ) { $0.put(route, scope: anyScope) }
  }
}

extension Route {
  /// The distance of the destination (rtm_scope), which IPv4 needs: beyond a gateway, or on the link.
  fileprivate var scope: UInt8 {
    switch kind {
    case .local: 254
    case .unicast where gateway == nil && nextHops.isEmpty: 253
    default: 0
    }
  }
}

/// RT_SCOPE_NOWHERE: a deletion matches any scope.
private let anyScope: UInt8 = 255

extension MessageWriter {
  /// `struct rtmsg` and its attributes.
  fileprivate mutating func put(_ route: Route, scope: UInt8) {
    put(route.destination.network.family)
    put(UInt8(clamping: route.destination.length))
    put(UInt8(0))
    put(UInt8(0))
    // The header's table has eight bits; 0 (RT_TABLE_UNSPEC) leaves it to the attribute.
    put(UInt8(exactly: route.table) ?? 0)
    put(route.origin)
    put(scope)
    put(route.kind.rawValue)
    put(route.isOnLink ? UInt32(RTNH_F_ONLINK) : 0)
    if route.destination.length > 0 { attribute(Int(RTA_DST.rawValue), route.destination.network) }
    if UInt8(exactly: route.table) == nil { attribute(Int(RTA_TABLE.rawValue), route.table) }
    if let gateway = route.gateway { attribute(Int(RTA_GATEWAY.rawValue), gateway) }
    if let link = route.link { attribute(Int(RTA_OIF.rawValue), link) }
    if let source = route.source { attribute(Int(RTA_PREFSRC.rawValue), source) }
    if let metric = route.metric { attribute(Int(RTA_PRIORITY.rawValue), metric) }
    if !route.nextHops.isEmpty {
      attribute(Int(RTA_MULTIPATH.rawValue)) { writer in
        for hop in route.nextHops { writer.put(hop) }
      }
    }
  }

  /// `struct rtnexthop` and its attributes.
  private mutating func put(_ hop: Route.NextHop) {
    let length = 8 + (hop.gateway.map { 4 + $0.octets.count } ?? 0)
    put(UInt16(clamping: length))
    put(UInt8(0))
    put(UInt8(0))
    put(hop.link)
    if let gateway = hop.gateway { attribute(Int(RTA_GATEWAY.rawValue), gateway) }
  }
}
