import Addresses
import Kernel
import Netlink

/// The state of a service's network namespace now, as far as it decides where packets go.
package struct LiveNamespace: Sendable {
  /// The service's name.
  let name: String
  var links: [Link] = []
  var addresses: [InterfaceAddress] = []
  /// Of all tables.
  var routes: [Route] = []
  /// Of policy routing; empty for those that the kernel begins with.
  var rules: [RouteRule] = []
  /// nftables tables with chains that packets meet, but for those of the stack: `ip nat`.
  var filters: [String] = []
  var forwards4 = false
  var forwards6 = false
  /// The time to live of IPv4 packets that it sends.
  var hopLimit4 = 64
  /// The same for IPv6, by the interface's name.
  var hopLimits6: [String: Int] = [:]

  init(name: String) { self.name = name }

  /// - Throws: what the kernel refused to list.
  package static func observe(_ place: ProbePlace) throws(KernelError) -> LiveNamespace {
    var found = LiveNamespace(name: place.name)
    try place.visit { () throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      found.links = try socket.links()
      found.addresses = try socket.addresses()
      found.routes = try socket.routes(table: nil)
      found.rules = try socket.routeRules().filter { !$0.isStandard }
      var netfilter = try NetlinkSocket(.netfilter)
      // A kernel without nftables has no tables.
      let chains = (try? netfilter.baseChains()) ?? []
      found.filters = Set(chains.filter { $0.table.family != .netdev }.map { "\($0.table)" }).sorted()
      // /proc/sys/net is that of the thread that looks.
      found.forwards4 = number("net/ipv4/ip_forward") == 1
      found.forwards6 = number("net/ipv6/conf/all/forwarding") == 1
      found.hopLimit4 = number("net/ipv4/ip_default_ttl") ?? 64
      for link in found.links { found.hopLimits6[link.name] = number("net/ipv6/conf/\(link.name)/hop_limit") }
      // A service with NET_ADMIN names links as it likes, and reports end on terminals.
      for index in found.links.indices { found.links[index].name = VisibleText.line(found.links[index].name) }
    }
    return found
  }

  private static func number(_ path: String) -> Int? {
    let bytes = (try? Files.read("/proc/sys/\(path)", limit: 64)) ?? nil
    return bytes.flatMap { Int(String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)) }
  }
}

extension RouteRule {
  /// One of the three that a namespace begins with: the tables local, main and default, for all packets.
  fileprivate var isStandard: Bool {
    action == .lookUp && source == nil && destination == nil && inputLink == nil && !hasFurtherConditions
      && [(0, 255), (32766, 254), (32767, 253)].contains { $0 == (priority, table) }
  }
}
