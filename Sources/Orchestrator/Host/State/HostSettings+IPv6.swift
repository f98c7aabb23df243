import Kernel
import Netlink

extension HostSettings {
  /// The sysctl without which no IPv6 packet passes from one interface to another. It sets that of every link, too.
  package static let forwarding6 = "\(links6)/all/forwarding"
  private static let links6 = "/proc/sys/net/ipv6/conf"

  /// The settings that change before IPv6 packets are forwarded, in order.
  ///
  /// A host that forwards no longer listens to routers, and loses the routes that it learned from them, unless a link's
  /// accept_ra is 2 (ip-sysctl.rst; rt6_purge_dflt_routers). So links that listen now get accept_ra 2.
  func settingsForIPv6() throws(KernelError) -> [Setting] {
    guard try read(Self.forwarding6) != "1" else { return [] }
    var socket = try NetlinkSocket(.route)
    // A stack's own links are gone when this is put back.
    let links = try socket.links().filter { !($0.alias?.hasPrefix("stack:") ?? false) }
    var settings: [Setting] = []
    for name in ["default"] + links.filter(\.mayListenToRouters).map(\.name) {
      let path = "\(Self.links6)/\(name)/accept_ra"
      if try read(path) == "1" { settings.append(Setting(path: path, wanted: "2")) }
    }
    for name in ["default"] + links.map(\.name) {
      let path = "\(Self.links6)/\(name)/forwarding"
      if try read(path) == "1" { settings.append(Setting(path: path, wanted: nil)) }
    }
    return settings + [Setting(path: Self.forwarding6, wanted: "1")]
  }

  /// The order in which settings are put back: one that sets many others comes before them.
  static func inOrder(_ before: [String: String]) -> [(path: String, value: String)] {
    let first = [forwarding, forwarding6]
    return before.sorted { left, right in
      (first.contains(left.key) ? 0 : 1, left.key) < (first.contains(right.key) ? 0 : 1, right.key)
    }.map { ($0.key, $0.value) }
  }
}

extension Link {
  /// Neither a bridge's port, whose bridge listens for it, nor the loopback (IFF_LOOPBACK in netdevice(7)).
  package var mayListenToRouters: Bool { master == nil && flags & 0x8 == 0 }
}
