import Netlink

extension Step {
  /// The commands that a person would have typed for the step: what `--dry-run` prints, to be read and to be tried.
  ///
  /// - Parameter folders: where state is kept, for the paths in them.
  public func commands(folders: StateFolders) -> [String] {
    switch self {
    case .unsettle, .acceptClaim, .recordIntent, .awaitReady, .restoreHost, .makeHostRoot: []
    case .makeFolders(let stack):
      ["mkdir -p \(folders.stack(stack.name).path) \(folders.stack(stack.name).logs)"]
        + stack.volumes.map { "mkdir -p \(shellQuoted($0.folder))" }
    case .mountLayers(let stack): ["mount -t tmpfs -o mode=0711 stack \(folders.stack(stack).layers)"]
    case .prepareHost(_, let forwarding):
      (forwarding.contains(.ipv4) ? ["sysctl -w net.ipv4.ip_forward=1"] : [])
        + (forwarding.contains(.ipv6) ? ["sysctl -w net.ipv6.conf.all.forwarding=1"] : [])
    case .createBridge(let network, let stack): Self.bridgeCommands(network, stack)
    case .raiseBridge(let network, _): ["ip link set \(network.bridge) up"]
    case .writeFirewall(let stack): Firewall(stack).tables.map { "nft -f - <<EOF\n\($0.rendered)EOF" }
    case .partition(let stack):
      stack.partition == nil
        ? PartitionFilter.names(stack.name).map { "nft delete table \($0)" }
        : PartitionFilter(stack).tables.map { "nft -f - <<EOF\n\($0.rendered)EOF" }
    case .guardPorts(let services, let stack): Self.guardCommands(services, stack)
    case .dropUnguarded(let stack): Self.unguardedCommands(stack)
    case .filterBridges(let networks, let stack): filterCommands(networks, stack)
    case .endFlows: ["conntrack -L    # and conntrack -D for each that is not allowed any more"]
    case .createNamespace(let service, let stack): Self.namespaceCommands(service, "\(stack).\(service.name)")
    case .connect(let link, let stack): Self.linkCommands(link, stack.name)
    case .shapeLink(let link, let stack): link.shapeCommands(in: stack)
    case .disconnect(let link, let stack): ["ip -n \(stack).\(link.first.service) link del \(link.first.interface)"]
    case .setRoutes(let service, let stack):
      ["ip -n \(stack).\(service.name) route flush proto \(DesiredRoute.origin)"]
        + (service.routes.allSatisfy { $0.destination.network.isV4 }
          ? [] : ["ip -n \(stack).\(service.name) -6 route flush proto \(DesiredRoute.origin)"])
        + service.routes.map { route in
          let words = route.gateway.map { "\(route.destination) via \($0)" } ?? "blackhole \(route.destination)"
          return "ip -n \(stack).\(service.name) route add \(words) proto \(DesiredRoute.origin)"
        }
    case .attach(let service, let stack): service.attachments.flatMap { Self.attachCommands($0, service, stack) }
    case .shape(let service, let stack): service.attachments.flatMap { $0.shapeCommands(service.name, stack) }
    case .start(let service, let stack): [Self.startCommand(service, folders.stack(stack))]
    case .pause(let service, let stack): ["echo 1 > /sys/fs/cgroup/stack/\(stack)/\(service.name)/cgroup.freeze"]
    case .unpause(let service, let stack): ["echo 0 > /sys/fs/cgroup/stack/\(stack)/\(service.name)/cgroup.freeze"]
    case .stop(let service): ["kill -\(service.stop.signal) <pid of \(service.name)>"]
    case .unpinNamespaces(let services, let stack): services.map { "ip netns del \(stack).\($0)" }
    case .detach(let service): service.attachments.flatMap(\.pairs).map { "ip link del \($0.link)" }
    case .removeLayer(let service, let stack): ["rm -r \(folders.stack(stack).service(service).layer)"]
    case .removeLinks(let group, _): ["ip link del group \(group)"]
    case .removeBridge(let network): Self.removalCommands(network)
    case .createSegment(let segment, let stack): Self.segmentCommands(segment, stack)
    case .removeSegment(let segment): ["ip link del \(segment.nearEnd)", "ip link del \(segment.bridge)"]
    case .removeFirewall(let stack):
      ["nft delete table inet \(Firewall.tableName(stack))", "nft delete table \(PortGuard.tableName(stack))"]
    case .forgetConnections(let stack):
      stack.subnets.flatMap { ["conntrack -D -s \($0)", "conntrack -D -d \($0)", "conntrack -D -r \($0)"] }
    case .removeControlGroups(let stack): ["rmdir /sys/fs/cgroup/stack/\(stack)/* /sys/fs/cgroup/stack/\(stack)"]
    case .unmountLayers(let stack): ["umount \(folders.stack(stack).layers)"]
    case .removeVolumes(let stack): ["rm -r \(folders.stack(stack).volumes)"]
    case .removeFolders(let stack): ["rm -r \(folders.stack(stack).path)"]
    }
  }

  private static func namespaceCommands(_ service: DesiredService, _ name: String) -> [String] {
    let make =
      service.firstIdentity == nil
      ? "ip netns add \(name)"
      : "touch /run/netns/\(name) && unshare\(userOptions(service)) --net=/run/netns/\(name) true"
    // A new namespace has IPv4's settings of the host, which forwards.
    let forwarding =
      " net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.default.accept_redirects=0"
      + (service.forwards ? "" : " net.ipv4.ip_forward=0")
    var commands = [make, "ip netns exec \(name) " + ipv6Setting(of: service) + forwarding]
    if service.forwards {
      commands.append(
        "ip netns exec \(name) sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
          + " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0")
    }
    return commands + ["ip -n \(name) link set lo up"]
  }

  private static func userOptions(_ service: DesiredService) -> String {
    guard let first = service.firstIdentity else { return "" }
    let map = "0:\(first):\(IdentityAllocator.size)"
    return " --user --map-users=\(map) --map-groups=\(map)"
  }

  private static func linkCommands(_ link: DesiredLink, _ stack: String) -> [String] {
    let mtu = link.mtu.map { " mtu \($0)" } ?? ""
    let (first, second) = (link.first, link.second)
    let make =
      "ip -n \(stack).\(first.service) link add \(first.interface)\(mtu) address \(first.mac)\(oneQueue) type veth"
      + " peer name \(second.interface)\(mtu) address \(second.mac)\(oneQueue) netns \(stack).\(second.service)"
    return [make] + endCommands(first, beside: second, stack) + endCommands(second, beside: first, stack)
  }

  private static func endCommands(
    _ end: DesiredLink.End, beside other: DesiredLink.End, _ stack: String
  ) -> [String] {
    let ip = "ip -n \(stack).\(end.service)"
    var commands = end.addresses.map { address in
      "\(ip) addr add \(address) dev \(end.interface)\(address.address.isV4 ? "" : " nodad")"
    }
    commands.append("\(ip) link set \(end.interface) up")
    for neighbour in other.addresses where !neighbour.address.isV4 {
      commands.append(
        "\(ip) neigh add \(neighbour.address) lladdr \(other.mac) dev \(end.interface) nud permanent")
    }
    return commands
  }

  private func filterCommands(_ networks: [DesiredNetwork], _ stack: DesiredStack) -> [String] {
    let filtered = stack.policy.filteredNetworks(of: stack)
    return networks.map { network in
      let switched = filtered.contains(network.name) ? 1 : 0
      return "ip link set \(network.bridge) type bridge nf_call_iptables \(switched) nf_call_ip6tables \(switched)"
    }
  }

  private static func bridgeCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    guard network.parent == nil else { return [] }
    let bridge = network.bridge
    return [
      "ip link add \(bridge) address \(network.mac)\(mtu(network)) group \(stack.linkGroup) type bridge stp_state 0"
        + " mcast_snooping 0\(filter(network))",
      "ip link set \(bridge) addrgenmode none alias \(LinkName.alias(stack: stack.name, "", network.name))",
      "ip addr add \(network.gateway)/\(network.subnet.length) dev \(bridge)",
    ]
      + (stack.policy.filteredNetworks(of: stack).contains(network.name)
        ? ["ip link set \(bridge) type bridge nf_call_iptables 1 nf_call_ip6tables 1"] : [])
      + ipv6Commands(network) + arrivalFilterCommands(bridge) + [
        "ip link set \(bridge) up",
        "sysctl -w net/ipv4/conf/\(bridge)/route_localnet=1",
      ] + tunnelCommands(network, stack) + vlanBridgeCommands(network, stack)
  }

  private static func attachCommands(
    _ attachment: DesiredAttachment, _ service: DesiredService, _ stack: DesiredStack
  ) -> [String] {
    guard let network = stack.network(named: attachment.network) else { return [] }
    let namespace = "\(stack.name).\(service.name)"
    let subnet = network.subnet(of: attachment)
    if let parent = network.parent {
      return macvlanCommands(attachment, network, parent, namespace)
    }
    var commands = attachment.pairs.flatMap { pairCommands($0, attachment, network, service, stack) }
    if let segment = stack.segment(of: attachment) {
      commands.append("bridge fdb add \(attachment.mac) dev \(segment.nearEnd) master static sticky")
    }
    if attachment.accessVLAN == nil {
      commands.append(
        "ip neigh add \(attachment.address) lladdr \(attachment.mac) dev \(network.bridge) nud permanent")
    }
    commands += [
      "ip -n \(namespace) addr add \(attachment.address)/\(subnet.length) dev \(attachment.interface)",
      "ip -n \(namespace) link set \(attachment.interface) up",
    ]
    if attachment.accessVLAN == nil {
      commands.append(
        "ip -n \(namespace) neigh add \(network.gateway) lladdr \(network.mac) dev \(attachment.interface)"
          + " nud permanent")
    }
    if attachment.isDefaultRoute, let gateway = network.gateway(of: attachment) {
      commands.append("ip -n \(namespace) route add default via \(gateway)")
    }
    commands += ipv6Commands(attachment, network, namespace, forwards: service.forwards)
    if attachment.isShaped { commands += attachment.shapeCommands(service.name, stack.name) }
    return commands + subinterfaceCommands(attachment, namespace)
  }

  private static func startCommand(_ service: DesiredService, _ stack: StackFolder) -> String {
    let paths = stack.service(service.name)
    let root =
      switch service.root {
      case .host:
        "mount -t overlay -o lowerdir=\(stack.hostRoot),upperdir=\(paths.upper),workdir=\(paths.work) overlay \(paths.root) && mount --bind -o ro /usr \(paths.root)/usr"
      case .overlay(let folder):
        "mount -t overlay -o lowerdir=\(shellQuoted(folder)),upperdir=\(paths.upper),workdir=\(paths.work) overlay \(paths.root)"
      case .direct(let folder): "mount --bind \(shellQuoted(folder)) \(paths.root)"
      }
    let command = service.process.arguments.map(shellQuoted).joined(separator: " ")
    let script = "\(root) && hostname \(service.hostname) && exec chroot \(paths.root) \(command)"
    let way =
      switch service.namespace {
      case .own: "ip netns exec \(stack.name).\(service.name) "
      case .service(let owner): "ip netns exec \(stack.name).\(owner) "
      case .host: ""
      }
    return "\(way)unshare --mount --uts --ipc --pid --cgroup --fork\(userOptions(service))"
      + " sh -c \(shellQuoted(script))"
  }
}
