import Vocabulary
import Host
import Intent
import Netfilter
import Planning
import Rules

extension Step {
  /// The commands that do on a fresh Debian 12, with iproute2, nftables and util-linux, what the step does: what `--dry-run`
  /// prints, to be read and to be run by bash. Where no tool does it, a comment says so.
  ///
  /// Functions that are none of these tools stand at the head of the script: ``PlanScript``.
  ///
  /// - Parameters:
  ///   - folders: where state is kept, for the paths in them.
  ///   - hostResolver: the text of the host's /etc/resolv.conf; nil to read it.
  package func commands(folders: StateFolders, hostResolver: String? = nil) -> [String] {
    switch self {
    case .unsettle, .acceptClaim, .recordIntent: [Self.ownRecord]
    case .makeFolders(let stack): Self.folderCommands(stack, folders.stack(stack.name), hostResolver: hostResolver)
    case .mountLayers(let stack): Self.layerCommands(folders.stack(stack))
    case .makeHostRoot(let stack): Self.hostRootCommands(folders.stack(stack).hostRoot)
    case .prepareHost(_, let forwarding, let neighbours): Self.hostCommands(forwarding, neighbours, folders)
    case .createBridge(let network, let stack): Self.bridgeCommands(network, stack)
    case .raiseBridge(let network, let stack): Self.raisingCommands(network, stack)
    case .writeFirewall(let stack):
      Firewall(stack).tables.map(Self.replacing) + Self.passageCommands(stack)
    case .partition(let stack): Self.partitionCommands(stack)
    case .guardPorts(let services, let stack): Self.guardCommands(services, stack)
    case .dropUnguarded(let stack): Self.unguardedCommands(stack)
    case .filterBridges(let networks, let stack): Self.filterCommands(networks, stack)
    case .endFlows: Self.trackingCommands(["-L"])
    case .createNamespace(let service, let stack): Self.namespaceCommands(service, folders.stack(stack))
    case .connect(let link, let stack): Self.linkCommands(link, stack)
    case .shapeLink(let link, let stack): link.shapeCommands(in: stack)
    case .disconnect(let link, let stack):
      ["ip -n \(stack).\(link.first.service) link del \(Shell.quoted(link.first.interface))"]
        + (link.hostLink.map(Self.releaseCommands) ?? [])
    case .setRoutes(let service, let stack): Self.routeCommands(service, "\(stack).\(service.name)")
    case .readdress(let service, let stack):
      (service.attachments.flatMap { Self.addressCommands($0, service, stack) } + Self.loopbackCommands(service, stack))
        .map { "\($0) || true" }
    case .addAddresses(let service, let stack): Self.addressingCommands(service, stack)
    case .removeAddresses(let addresses, let service, let stack):
      Self.addressRemovalCommands(addresses, service, stack)
    case .attach(let service, let stack):
      Self.loopbackCommands(service, stack) + service.attachments.flatMap { Self.attachCommands($0, service, stack) }
        + (service.attachments.contains(where: \.isShaped) ? service.shapeCommands(in: stack, isNew: true) : [])
    case .shape(let service, let stack): service.shapeCommands(in: stack, isNew: false)
    case .start(let service, let stack): ServiceScript(service, folders.stack(stack)).lines
    case .awaitReady(let service, let stack):
      Self.hookCommands(service, .postStart, stack) + Self.readinessCommands(service, folders.stack(stack))
    case .pause(let service, let stack): ["echo 1 >\"$cgroups/stack/\(stack)/\(service.name)/cgroup.freeze\""]
    case .unpause(let service, let stack): ["echo 0 >\"$cgroups/stack/\(stack)/\(service.name)/cgroup.freeze\""]
    case .stop(let service, let stack):
      Self.hookCommands(service, .preStop, stack) + Self.stopCommands(service, "\(stack)/\(service.name)")
    case .unpinNamespaces(let services, let stack): Self.unpinCommands(services, folders.stack(stack))
    case .detach(let service):
      service.attachments.flatMap(\.pairs).map { "[[ ! -e /sys/class/net/\($0.link) ]] || ip link del \($0.link)" }
    case .removeLayer(let service, let stack):
      Self.layerRemovalCommands(folders.stack(stack).service(service))
    case .removeKeptVolumes(let service, let stack): ["rm -rf \(folders.stack(stack).service(service).keptVolumes)"]
    case .removeLinks(let group, let stack): Self.removalCommands(group: group, stack)
    case .removeBridge(let network): Self.removalCommands(network)
    case .createSegment(let segment, let stack): Self.segmentCommands(segment, stack)
    case .removeSegment(let segment): ["ip link del \(segment.nearEnd)", "ip link del \(segment.bridge)"]
    case .removeFirewall(let stack):
      ["nft delete table inet \(StackTable.name(of: stack))", "nft delete table \(PortGuard.tableName(stack))"]
        + Self.otherTableCommands(stack)
    case .forgetConnections(let stack):
      Self.trackingCommands(stack.subnets.flatMap { subnet in ["-s", "-d", "-r"].map { "-D \($0) \(subnet)" } })
    case .removeControlGroups(let stack): ["remove_control_groups \(stack)"]
    case .restoreHost:
      [
        Shell.comment(
          "\(HostSettings.forwarding) and what else was changed stays as it is: only stack knows what was before")
      ]
    case .unmountLayers(let stack): ["umount --recursive \(folders.stack(stack).layers)"]
    case .removeVolumes(let stack): ["rm -rf \(folders.stack(stack).volumes)"]
    case .removeFolders(let stack): Self.folderRemovalCommands(folders.stack(stack))
    }
  }

  private static let ownRecord = Shell.comment("stack's own record, which no other tool reads")

  // MARK: The host

  private static func hostCommands(
    _ forwarding: Forwarding, _ neighbours: Int, _ folders: StateFolders
  ) -> [String] {
    let place = folders.namespaces
    var commands = [
      "mkdir -p \(place)", "mountpoint -q \(place) || mount --bind \(place) \(place)", "mount --make-shared \(place)",
    ]
    if forwarding.contains(.ipv4) { commands.append("set_sysctl net/ipv4/ip_forward=1") }
    if forwarding.contains(.ipv6) {
      // A host that forwards hears routers only where accept_ra is 2.
      commands += [
        "[[ $(cat /proc/sys/net/ipv6/conf/all/forwarding) == 1 ]] || for file in /proc/sys/net/ipv6/conf/*/accept_ra; do"
          + " [[ $(cat \"$file\") != 1 ]] || echo 2 >\"$file\"; done",
        "set_sysctl net/ipv6/conf/all/forwarding=1",
      ]
    }
    let limits = NeighbourLimits.settings(for: neighbours)
    if !limits.isEmpty {
      commands.append("set_sysctl " + limits.map { "\($0.path)=\($0.value)" }.joined(separator: " "))
    }
    return commands
  }

  /// Connections that the kernel tracks are conntrack-tools' to list and to forget.
  private static func trackingCommands(_ arguments: [String]) -> [String] {
    [
      Shell.comment(
        "iproute2 and nftables cannot list or forget tracked connections; conntrack(8) of conntrack-tools can:")
    ]
      + arguments.map { Shell.comment("conntrack \($0)") }
  }

  // MARK: nftables

  /// Puts a table in the place of a former one, in one transaction.
  private static func replacing(_ table: NftTable) -> String { Shell.feed("nft -f -", replacement(of: table)) }

  static func replacement(of table: NftTable) -> String {
    "table \(table.name)\ndelete table \(table.name)\n\(table.rendered)"
  }

  private static func partitionCommands(_ stack: DesiredStack) -> [String] {
    let tables = PartitionFilter(stack).tables
    if !tables.isEmpty { return tables.map(replacing) }
    return PartitionFilter.names(stack.name).map { "nft delete table \($0)" }
  }

  private static func otherTableCommands(_ stack: String) -> [String] {
    [
      "nft list tables | while read -r _ family table; do"
        + " [[ $table != \(StackTable.name(of: stack))/* ]] || nft delete table \"$family\" \"$table\"; done"
    ]
  }

  /// Rules that accept the bridges' packets in Docker's own table, if there is one.
  private static func passageCommands(_ stack: DesiredStack) -> [String] {
    let passage = Passage(stack: stack.name, bridges: stack.bridges)
    return Passage.docker.flatMap { gate in
      let chain = "\(gate.table) \(gate.chain)"
      let rules = passage.rules(at: gate).map {
        "  nft \(Shell.quoted("insert rule \(chain) \($0.rendered(in: gate.table.family))"))"
      }
      guard !rules.isEmpty else { return [String]() }
      return ["if nft list chain \(chain) >/dev/null 2>&1; then"] + rules + ["fi"]
    }
  }

  // MARK: Services

  private static func readinessCommands(_ service: DesiredService, _ folder: StackFolder) -> [String] {
    if service.healthCheck != nil { return [Shell.comment("the script asks no health checks; stack does")] }
    let namespace =
      switch service.namespace {
      case .own: folder.service(service.name).namespace
      case .service(let owner): folder.service(owner).namespace
      case .host: "/proc/self/ns/net"
      }
    return service.readyPorts.map { "await_port \(service.name) \(namespace) \($0.transport.rawValue) \($0.port)" }
  }

  /// A failure of what runs before a stop does not keep the service from being stopped.
  private static func hookCommands(
    _ service: DesiredService, _ moment: DesiredHook.Moment, _ stack: String
  ) -> [String] {
    service.hooks(at: moment).flatMap { hook in
      let variables = service.environment(of: hook).map { Shell.quoted("\($0.key)=\($0.value)") }.sorted()
      let folder = Shell.quoted(hook.workingDirectory ?? service.process.workingDirectory ?? "/")
      let command =
        "nsenter --target \"$(first_process \(stack)/\(service.name))\" --all --wd=\(folder) env -i"
        + " \((["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + variables).joined(separator: " ")) \(Shell.words(hook.command))"
      let user = (hook.user ?? service.process.user).map {
        [Shell.comment("stack runs this \(moment.rawValue) as \($0), and the script as root:")]
      }
      return (user ?? []) + [moment == .preStop ? "\(command) || true" : command]
    }
  }

  private static func stopCommands(_ service: DesiredService, _ name: String) -> [String] {
    let (seconds, attoseconds) = service.stop.grace.components
    return [
      "pid=$(first_process \(name))", "[[ -z $pid ]] || kill -\(service.stop.signal) \"$pid\"",
      "await_end \(name) \(seconds + (attoseconds > 0 ? 1 : 0))",
    ]
  }

  private static func unpinCommands(_ services: [String], _ stack: StackFolder) -> [String] {
    services.flatMap { service in
      let users = stack.pinnedUsers(of: service)
      return [
        "[[ ! -e \(stack.service(service).namespace) ]] || ip netns del \(stack.name).\(service)",
        "[[ ! -e \(users) ]] || { umount \(users); rm \(users); }",
      ]
    }
  }
}

extension StackFolder {
  /// The path at which a script pins the user namespace of a service. `stack` itself finds it by the network namespace
  /// that it owns.
  func pinnedUsers(of service: String) -> String { "\(layers)/.users/\(service)" }
}
