import Addresses
import Intent

/// What networks with IPv6 take more.
extension Step {
  static func ipv6Setting(of service: DesiredService) -> String {
    guard service.speaksIPv6 else { return "sysctl -w net.ipv6.conf.all.disable_ipv6=1" }
    let settings = ["accept_ra", "accept_dad", "autoconf", "router_solicitations", "accept_redirects"]
    return "sysctl -w net.ipv6.conf.default.addr_gen_mode=1"
      + " net.ipv6.conf.default.mldv2_unsolicited_report_interval=2000000000 "
      + settings.map { "net.ipv6.conf.default.\($0)=0" }.joined(separator: " ")
  }

  static func ipv6Commands(_ network: DesiredNetwork) -> [String] {
    let setting = "sysctl -w net/ipv6/conf/\(network.bridge)"
    guard let ipv6 = network.ipv6 else { return ["\(setting)/disable_ipv6=1"] }
    return [
      "\(setting)/accept_ra=0",
      "ip addr add \(ipv6.gateway)/\(ipv6.subnet.length) dev \(network.bridge) nodad",
    ]
  }

  static func ipv6Commands(
    _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ namespace: String, forwards: Bool
  ) -> [String] {
    guard let own = attachment.ipv6, let ipv6 = network.ipv6 else { return [] }
    let (link, mac) = (attachment.interface, network.mac)
    return [
      "ip neigh add \(own.address) lladdr \(attachment.mac) dev \(network.bridge) nud permanent",
      "ip -n \(namespace) addr add \(own.address)/\(ipv6.subnet.length) dev \(link) nodad",
      "ip -n \(namespace) neigh add \(ipv6.gateway) lladdr \(mac) dev \(link) nud permanent",
    ]
      + (forwards
        ? ["ip -n \(namespace) addr add \(attachment.mac.linkLocalAddress)/64 dev \(link) nodad"] : [])
      + (own.isDefaultRoute ? ["ip -n \(namespace) -6 route add default via \(ipv6.gateway)"] : [])
  }
}
