import Addresses
import Intent
import Planning
import Vocabulary

/// Commands that only networks with IPv6 need.
extension Step {
  /// The IPv6 settings of a service's namespace, set before its first interface is there.
  static func ipv6Settings(of service: DesiredService) -> [String] {
    guard service.speaksIPv6 else { return ["all", "default"].map { "net/ipv6/conf/\($0)/disable_ipv6=1" } }
    return fixedSettings.map { "net/ipv6/conf/default/\($0)" }
  }

  private static let fixedSettings = [
    "accept_ra=0", "autoconf=0", "router_solicitations=0", "accept_dad=0", "addr_gen_mode=1", "accept_redirects=0",
    "mldv2_unsolicited_report_interval=2000000000",
  ]

  /// The same of one interface, in a namespace that may have been made without IPv6.
  static func ipv6Switch(of interface: String) -> [String] {
    (fixedSettings + ["disable_ipv6=0"]).map { "net/ipv6/conf/\(interface)/\($0)" }
      + ["net/ipv6/conf/lo/disable_ipv6=0"]
  }

  static func ipv6Commands(_ network: DesiredNetwork) -> [String] {
    let folder = "net/ipv6/conf/\(network.bridge)"
    guard let ipv6 = network.ipv6, network.hasHost else { return ["set_sysctl \(folder)/disable_ipv6=1"] }
    return [
      "set_sysctl \(folder)/disable_ipv6=0 \(folder)/accept_ra=0 \(folder)/accept_redirects=0",
      "ip addr add \(ipv6.gateway)/\(ipv6.subnet.length) dev \(network.bridge) nodad",
    ]
  }

  /// The service's own address, before its link is up.
  static func ipv6AddressCommands(
    _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ namespace: String, forwards: Bool
  ) -> [String] {
    guard let own = attachment.ipv6, let ipv6 = network.ipv6 else { return [] }
    let adding = "ip -n \(namespace) addr add"
    return ["\(adding) \(own.address)/\(ipv6.subnet.length) dev \(Shell.quoted(attachment.interface)) nodad"]
      + (forwards
        ? ["\(adding) \(attachment.mac.linkLocalAddress)/64 dev \(Shell.quoted(attachment.interface)) nodad"] : [])
  }

  /// The gateway and the way through it, once the link is up.
  static func ipv6RouteCommands(
    _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ namespace: String
  ) -> [String] {
    guard let own = attachment.ipv6, let gateway = network.ipv6?.gateway else { return [] }
    let knowing =
      "ip -n \(namespace) neigh replace \(gateway) lladdr \(network.mac) dev \(Shell.quoted(attachment.interface)) nud permanent"
    return (network.hasHost ? [knowing] : [])
      + (own.isDefaultRoute ? ["ip -n \(namespace) -6 route add default via \(gateway) proto static"] : [])
  }
}
