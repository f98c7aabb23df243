import Addresses
import DNS
import Glibc
import Intent
import Kernel
import Netfilter
import Netlink
import Resolve
import Vocabulary

extension HostFacts {
  /// Looks at this host.
  ///
  /// - Throws: the kernel's refusal to list links, routes, sockets or tables, or a record that cannot be read.
  package static func observe(_ question: HostQuestion) throws(KernelError) -> HostFacts {
    let (stack, folders) = (question.stack, question.folders)
    var facts = HostFacts(pools: question.pools)
    if let group = question.linkGroup {
      try facts.addLinks(besides: question.links, group: group)
    } else {
      try facts.addLinks(except: stack)
    }
    try facts.addSockets(question.ports)
    if !question.parents.isEmpty { try facts.addParents(question.parents) }
    for name in question.hostLinks { try facts.addHostLink(name, besides: stack, folders) }
    facts.hasIPv6 = Files.exists("/proc/sys/net/ipv6")
    facts.identities = IdentityFacts.observe(question.paths)
    facts.canFilterBridges = Files.exists("/proc/sys/net/bridge/bridge-nf-call-iptables")
    facts.connectionTable = try Files.read("/proc/sys/net/netfilter/nf_conntrack_max").flatMap { octets in
      Int(String(decoding: octets.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
    facts.tables = try Set(tables(except: stack))
    var gateways = Set(question.gateways)
    for other in StackIndex(folders: folders).names() where other != stack {
      gateways.formUnion(try facts.addStack(other, for: stack, isJoining: question.joinsNetworks, folders))
    }
    if question.joinsVolumes { facts.volumes = VolumeIndex(folders: folders).foldersByName() }
    facts.leaveOutNameServers(at: gateways)
    if question.needsEmulator { facts.emulatesNetworks = try EmulatorTrial.isThere() }
    if question.hasVLANs { facts.tellsVLANsApart = try VLANTrial.isThere() }
    return facts
  }

  private static let linkLocal = IPPrefix("fe80::/64")

  /// Links and the routes over them, for a stack that is not up. What is left of a former one has its alias.
  private mutating func addLinks(except stack: String) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    let links = try socket.links()
    let prefix = LinkName.alias(stack: stack, "")
    let own = Set(links.filter { $0.alias?.hasPrefix(prefix) ?? false }.map(\.index))
    let names = Dictionary(keepingFirst: links.map { ($0.index, $0.name) })
    self.links = Set(links.filter { !own.contains($0.index) }.map(\.name))
    linkGroups = Set(links.compactMap(\.group))
    try addRoutes(&socket, except: own) { names[$0] }
  }

  /// The same for a stack that is up, whose links are known by name.
  private mutating func addLinks(besides own: Set<String>, group: UInt32) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    links = try LinkNames.all().subtracting(own)
    linkGroups = [group]
    var names: [UInt32: String] = [:]
    let indices = Set(own.map { if_nametoindex($0) }).subtracting([0])
    try addRoutes(&socket, except: indices) { index in
      if let name = names[index] { return name }
      names[index] = LinkNames.name(of: index)
      return names[index]
    }
  }

  private mutating func addRoutes(
    _ socket: inout NetlinkSocket, except own: Set<UInt32>, name: (UInt32) -> String?
  ) throws(KernelError) {
    for route in try socket.routes() {
      let prefix = route.destination
      // Every link has the link-local prefix: nobody's subnet is in it.
      guard !UsedRange.isWayOut(prefix), route.kind == .unicast, prefix != Self.linkLocal,
        !own.contains(route.link ?? 0)
      else { continue }
      let link = route.link.flatMap(name) ?? "nothing"
      ranges.append(UsedRange(prefix: prefix, user: "a route of the host over \(link)", link: link))
    }
  }

  private mutating func addParents(_ names: Set<String>) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    for name in names {
      guard let link = try socket.link(named: name) else { continue }
      parents[name] = try socket.addresses(on: link.index).compactMap { address in
        if case .v4(let address) = address.address { address } else { nil }
      }
    }
  }

  private mutating func addHostLink(
    _ name: String, besides stack: String, _ folders: StateFolders
  ) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    guard let link = try socket.link(named: name) else { return }
    let hasDefaultRoute = try socket.routes().contains {
      $0.link == link.index && $0.destination.length == 0 && $0.kind == .unicast
    }
    var use: String?
    if link.flags & UInt32(IFF_LOOPBACK) != 0 {
      use = "is the host's loopback"
    } else if link.alias?.hasPrefix("stack:") ?? false {
      use = "belongs to a stack: \(link.alias ?? "")"
    } else if let master = link.master {
      use = "belongs to \(try socket.links().first { $0.index == master }?.name ?? "another link")"
    } else if hasDefaultRoute {
      use = "has the host's default route"
    }
    for other in StackIndex(folders: folders).names() where other != stack {
      let folder = folders.stack(other)
      for record in [try StateFile<DesiredStack>(path: folder.claim).read(), try StackRecord(folder).read()] {
        guard let record, record.hostCables.contains(where: { $0.hostLink?.name == name }) else { continue }
        use = "is an end of a cable of stack \(other)"
      }
    }
    hostLinks[name] = FoundLink(
      HostLink(
        name: name, wasUp: link.isUp, usedARP: link.flags & UInt32(IFF_NOARP) == 0, allMulticast: link.allMulticast),
      mac: link.mac, use: use)
  }

  private mutating func addSockets(_ portsOfInterest: Set<UInt16>) throws(KernelError) {
    var socket = try NetlinkSocket(.sockDiag)
    let sockets = try socket.boundSockets()
    let interesting = sockets.filter { portsOfInterest.contains($0.port) }
    let owners = interesting.isEmpty ? [:] : SocketOwners.find(Set(interesting.map(\.inode)))
    for bound in sockets {
      let user = owners[bound.inode].map { PortUser.process(name: $0.name, pid: $0.pid) } ?? .socket
      ports.append(
        UsedPort(
          address: bound.claimedAddress, port: bound.port, transport: TransportProtocol(bound.transport), user: user))
    }
  }

  /// Leaves out the sockets of stacks' name servers. No published port can take packets away from them.
  private mutating func leaveOutNameServers(at gateways: Set<IPAddress>) {
    ports.removeAll { used in used.port == DNSPort.standard && used.address.map(gateways.contains) ?? false }
  }

  private static func tables(except stack: String) throws(KernelError) -> [String] {
    var socket = try NetlinkSocket(.netfilter)
    return try socket.tables()
      .filter { $0.name.family == .inet && $0.comment != StackTable.comment(of: stack) }.map(\.name.name)
  }

  /// Adds what another stack has, or has just chosen.
  ///
  /// - Returns: the host's addresses on its networks.
  private mutating func addStack(
    _ name: String, for stack: String, isJoining: Bool, _ folders: StateFolders
  ) throws(KernelError) -> [IPAddress] {
    let folder = folders.stack(name)
    var gateways: [IPAddress] = []
    // A claim takes the record's name when it is accepted: in this order it is seen under one of them.
    for other in [try StateFile<DesiredStack>(path: folder.claim).read(), try StackRecord(folder).read()] {
      guard let other else { continue }
      linkGroups.insert(other.linkGroup)
      gateways += other.networks.flatMap(\.hostAddresses)
      addNetworks(of: other, for: stack, isJoining: isJoining)
      for network in other.ownNetworks where network.hasHost {
        let user = "network \(network.name) of stack \(name)"
        ranges.append(UsedRange(prefix: .v4(network.subnet), user: user))
        if let ipv6 = network.ipv6 { ranges.append(UsedRange(prefix: .v6(ipv6.subnet), user: user)) }
      }
      identities.taken += other.services.compactMap(\.identities)
      for service in other.services {
        ports += service.ports.map {
          UsedPort(
            address: $0.claimedAddress(of: service), port: $0.hostPort, transport: $0.target.transport,
            user: .stack(name))
        }
      }
    }
    return gateways
  }

  /// Networks that can be joined, and who is on those and on the stack's own.
  mutating func addNetworks(of other: DesiredStack, for stack: String, isJoining: Bool) {
    guard isJoining || other.networks.contains(where: { $0.owner == stack }) else { return }
    for network in other.ownNetworks {
      let found = ForeignNetwork(stack: other.name, network: network)
      // Its claim comes after its record: what it is about to be is what counts.
      networks.removeAll { $0.name == found.name }
      networks.append(found)
    }
    let bridges = Dictionary(keepingFirst: other.networks.map { ($0.name, $0.bridge) })
    for service in other.services {
      for attachment in service.attachments {
        guard let bridge = bridges[attachment.network] else { continue }
        var own = [
          Member(
            stack: other.name, service: service.name, address: attachment.address,
            names: service.names(on: attachment))
        ]
        own += attachment.furtherAddresses.compactMap { further in
          guard case .v4(let address) = further.address else { return nil }
          return Member(stack: other.name, service: service.name, address: address, names: [])
        }
        for member in own where members[bridge]?.contains(member) != true {
          members[bridge, default: []].append(member)
        }
      }
    }
  }
}

extension BoundSocket {
  /// The address that it takes the port of; nil for all of both families (IPV6_V6ONLY in ipv6(7)).
  fileprivate var claimedAddress: IPAddress? {
    guard case .v6(let v6) = address else { return address }
    if let mapped = v6.mapped { return .v4(mapped) }
    return v6 == .any && !isIPv6Only ? nil : address
  }
}
