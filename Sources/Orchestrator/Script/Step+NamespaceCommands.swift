import Addresses
import Vocabulary
import Intent
import Planning

/// The commands for network namespaces, and for what is between two of them.
extension Step {
  static func namespaceCommands(_ service: DesiredService, _ stack: StackFolder) -> [String] {
    let name = "\(stack.name).\(service.name)"
    let making =
      service.firstIdentity.map { "add_owned_netns \(name) \(stack.pinnedUsers(of: service.name)) \($0)" }
      ?? "ip netns add \(name)"
    // A new namespace has IPv4's settings of the host, which forwards.
    let forwarding =
      ["net/ipv4/conf/all/accept_redirects=0", "net/ipv4/conf/default/accept_redirects=0"]
      + (service.forwards
        ? [
          "net/ipv4/ip_forward=1", "net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=0",
          "net/ipv6/conf/all/forwarding=1", "net/ipv6/conf/default/forwarding=1",
        ] : ["net/ipv4/ip_forward=0"])
    let settings =
      service.speaksIPv6 ? forwarding + ipv6Settings(of: service) : ipv6Settings(of: service) + forwarding
    return [
      making,
      "nsenter --net=\(stack.service(service.name).namespace) bash -ec 'set_sysctl \(settings.joined(separator: " "))'",
      "ip -n \(name) link set lo up",
    ] + (service.switching.map { switchCommands($0, service.name, stack.name, name) } ?? [])
  }

  private static func switchCommands(
    _ switching: DesiredSwitch, _ service: String, _ stack: String, _ namespace: String
  ) -> [String] {
    let bridge = Shell.quoted(switching.interface)
    let tree =
      switching.usesSpanningTree ? "forward_delay \(DesiredSwitch.forwardDelay) stp_state 1" : "stp_state 0"
    return [
      "ip -n \(namespace) link add \(bridge) address \(switching.mac(of: service, in: stack)) type bridge \(tree)"
        + " mcast_snooping 0",
      "ip -n \(namespace) link set \(bridge) up",
    ]
  }

  // MARK: Links between two services

  static func linkCommands(_ link: DesiredLink, _ stack: DesiredStack) -> [String] {
    if let hostLink = link.hostLink { return hostCableCommands(link, hostLink, stack.name) }
    let mtu = link.mtu.map { " mtu \($0)" } ?? ""
    let (first, second) = (link.first, link.second)
    let making =
      "ip -n \(stack.name).\(first.service) link add \(Shell.quoted(first.interface))\(mtu) address \(first.mac)\(oneQueue) type veth"
      + " peer name \(Shell.quoted(second.interface))\(mtu) address \(second.mac)\(oneQueue) netns \(stack.name).\(second.service)"
    let isPlain = link.currentConditions.isClear && !link.isSetDown && !stack.isCut(link)
    return [making] + endCommands(first, of: link, isUp: !link.isSetDown, stack.name)
      + endCommands(second, of: link, isUp: true, stack.name) + (isPlain ? [] : link.shapeCommands(in: stack))
  }

  /// The link of the host gives the service all its frames, and answers no ARP itself.
  private static func hostCableCommands(_ link: DesiredLink, _ hostLink: HostLink, _ stack: String) -> [String] {
    let (name, mtu) = (Shell.quoted(hostLink.name), link.mtu.map { " mtu \($0)" } ?? "")
    return [
      "ip link add \(Shell.quoted(link.first.interface))\(mtu) link \(name) netns \(stack).\(link.first.service)"
        + " type macvlan mode passthru",
      "ip link set \(name) arp off up",
    ] + endCommands(link.first, of: link, isUp: !link.isSetDown, stack)
  }

  /// As it was before the stack took it, with the IPv6 addresses that the kernel would take away with `down`.
  static func releaseCommands(_ hostLink: HostLink) -> [String] {
    let change = "ip link set \(Shell.quoted(hostLink.name)) arp \(hostLink.usedARP ? "on" : "off")"
    guard !hostLink.wasUp else { return ["\(change) up"] }
    let setting = Shell.quoted(hostLink.keepSetting)
    return [
      "kept=$(cat /proc/sys/\(setting) 2>/dev/null || true)", "set_sysctl \(setting)=1", "\(change) down",
      "set_sysctl \(setting)=\"$kept\"",
    ]
  }

  private static func endCommands(
    _ end: DesiredLink.End, of link: DesiredLink, isUp: Bool, _ stack: String
  ) -> [String] {
    let ip = "ip -n \(stack).\(end.service)"
    let other = link.first == end ? link.second : link.first
    var commands = [
      "\(ip) link set \(Shell.quoted(end.interface)) alias \(Shell.quoted(link.alias(in: stack)))"
        + (end.bridge.map { " master \(Shell.quoted($0))" } ?? "")
    ]
    if link.hasIPv6(at: end) {
      let settings = Shell.quoted("set_sysctl " + Shell.words(ipv6Switch(of: end.interface)))
      commands.append("nsenter --net=/run/netns/\(stack).\(end.service) bash -ec \(settings)")
    }
    commands += link.everyAddress(of: end).map { address in
      "\(ip) addr add \(address) dev \(Shell.quoted(end.interface))\(flags(address))"
    }
    guard isUp else { return commands }
    commands.append("\(ip) link set \(Shell.quoted(end.interface)) up")
    guard link.hostLink == nil else { return commands }
    return commands
      + link.everyAddress(of: other).filter { $0.address.isV4 || link.hasIPv6(at: end) }.map { neighbour in
        "\(ip) neigh replace \(neighbour.address) lladdr \(other.mac) dev \(Shell.quoted(end.interface)) nud permanent"
      }
  }

  // MARK: Routes

  static func routeCommands(_ service: DesiredService, _ namespace: String) -> [String] {
    let ip = "ip -n \(namespace)"
    return ["\(ip) route flush proto \(DesiredRoute.origin)"]
      + (service.speaksIPv6 ? ["\(ip) -6 route flush proto \(DesiredRoute.origin)"] : [])
      + service.routes.map { route in
        let hops = route.hops.map { hop in
          "via \(hop.gateway)" + (hop.interface.map { " dev \(Shell.quoted($0))" } ?? "")
        }
        let proto = "proto \(DesiredRoute.origin)"
        switch hops.count {
        case 0: return "\(ip) route add blackhole \(route.destination) \(proto)"
        case 1: return "\(ip) route add \(route.destination) \(hops[0]) \(proto)"
        default:
          return "\(ip) route add \(route.destination) \(proto) " + hops.map { "nexthop \($0)" }.joined(separator: " ")
        }
      }
  }
}
