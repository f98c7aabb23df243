import Host
import Kernel
import Netlink

extension HostExamination {
  /// Says what networks with IPv6 change on this host.
  func ipv6() -> [HostFinding] {
    guard let forwards = number(in: HostSettings.forwarding6) else {
      return [HostFinding(.good, "the kernel has no IPv6: networks are of IPv4 alone")]
    }
    return attempt { () throws(KernelError) in
      var route = try NetlinkSocket(.route)
      let links = try route.links().filter(\.mayListenToRouters).map(\.name).filter {
        number(in: "/proc/sys/net/ipv6/conf/\($0)/accept_ra") == 1
      }
      return [Self.judge(forwardsIPv6: forwards != 0, listening: links)]
    }
  }

  /// - Parameter listening: links that take addresses and routes from routers, but would not on a host that forwards.
  static func judge(forwardsIPv6: Bool, listening: [String]) -> HostFinding {
    guard !forwardsIPv6 else { return HostFinding(.good, "IPv6 packets are forwarded, and stay so after down") }
    let links =
      listening.isEmpty
      ? ""
      : "; so that they go on listening to routers, accept_ra of \(listening.joined(separator: ", ")) is 2 meanwhile"
    return HostFinding(
      .good,
      "forwarding of IPv6 is off: the first up of a network with IPv6 sets net.ipv6.conf.all.forwarding to 1, the last down"
        + " back to 0\(links)")
  }
}
