import Addresses
import Intent
import StackFiles
import Vocabulary

/// Chooses what a stack file leaves open (names, subnets, addresses, ports) so that nothing on the host is in the way. Pure.
package struct Resolver {
  let file: StackFile
  let facts: HostFacts
  let previous: DesiredStack?
  /// The instances as recorded, by name.
  let previousServices: [String: DesiredService]
  let folder: StackFolder
  /// Names of links that are not to be had any more.
  private var takenLinks: Set<String>
  /// The ends of links, by service.
  let linkEnds: [String: [StackFile.Link.End]]
  /// Subnets of IPv6 that are not to be had any more, with who has them.
  var takenPrefixes: [(prefix: IPv6Prefix, user: String)]
  var errors: [StackError] = []

  /// - Parameters:
  ///   - services: the services that are to run, of those in the file.
  ///   - previous: what the stack is now, so that what can stay as it is stays.
  /// - Throws: all that is in the way.
  package static func resolve(
    _ file: StackFile, services: [StackFile.Service], facts: HostFacts, previous: DesiredStack?, folder: StackFolder
  ) throws(StackErrors) -> DesiredStack {
    var resolver = Resolver(file: file, facts: facts, previous: previous, folder: folder)
    let stack = resolver.resolve(services)
    guard resolver.errors.isEmpty else { throw StackErrors(resolver.errors) }
    return stack
  }

  private init(file: StackFile, facts: HostFacts, previous: DesiredStack?, folder: StackFolder) {
    self.file = file
    self.facts = facts
    self.previous = previous
    previousServices = (previous?.services ?? []).keyed(by: \.name)
    self.folder = folder
    takenLinks = facts.links
    linkEnds = Dictionary(grouping: file.links.flatMap(\.ends)) { $0.service.value }
    takenPrefixes = Self.takenPrefixes(facts)
  }

  var stackName: String { file.name.value }

  private mutating func resolve(_ services: [StackFile.Service]) -> DesiredStack {
    let active = file.withAllMounts(services)
    let instances = inDependencyOrder(active).flatMap(Self.instances)
    let usedNetworks = file.networks.filter { network in
      !network.isImplicit || active.contains { $0.attachments.contains { $0.network.value == network.name.value } }
    }
    let networks = chooseSubnets(usedNetworks, instances)
    var addresses = chooseAddresses(networks, instances)
    let identities = chooseIdentities(instances.map { ($0.name, $0.service) })
    var services: [DesiredService] = []
    var names: [String: InterfaceNames] = [:]
    for instance in instances {
      let attachments = attachments(of: instance, in: networks, &addresses, &names)
      var service = service(instance, attachments, networks)
      service.firstIdentity = identities[instance.name]
      service.switching = instance.service.switching.map { wanted in
        DesiredSwitch(interface: wanted.value.interface, usesSpanningTree: wanted.value.usesSpanningTree)
      }
      service.loopback = instance.service.loopback.map { DesiredAddress($0.value) }
      service.postStart = instance.service.postStart.map(DesiredHook.init)
      service.preStop = instance.service.preStop.map(DesiredHook.init)
      services.append(service)
    }
    nameLinked(in: &services, active)
    arrangeVolumes(of: &services)
    assignPorts(&services, active)
    SharedFolders(services).note(in: &services)
    let volumes = desiredVolumes()
    if facts.tables.contains(StackTable.name(of: stackName)) {
      errors.append(
        StackError(
          stackName, "an nftables table named \(StackTable.name(of: stackName)) exists already and is not a stack's",
          remedy: "remove it (nft delete table inet \(StackTable.name(of: stackName))) or give the stack another name"))
    }
    var stack = DesiredStack(
      name: stackName, file: file.path, networks: networks.map(\.desired), services: services,
      volumes: volumes, linkGroup: chooseLinkGroup(), policy: StackPolicy(file), links: links(services, &names),
      segments: segments(networks.map(\.desired), services), guardsPorts: true,
      guardRevision: DesiredStack.currentGuardRevision, connectionTable: facts.connectionTable,
      partition: previous?.partition)
    stack.namesWholeStack = file.names == .stack
    markIPv6OfLinks(&stack)
    checkLoopbacks(stack)
    route(&stack)
    nameFarEnds(&stack)
    meetOthers(&stack)
    checkClaims(stack)
    checkRules(stack)
    checkRulesOnLinks(stack)
    checkVLANs(stack)
    checkFiltering(stack)
    return stack
  }

  /// Frames between services of one network pass by the firewall unless the kernel shows them to it.
  private mutating func checkFiltering(_ stack: DesiredStack) {
    guard !facts.canFilterBridges, !stack.policy.isEmpty else { return }
    guard let network = stack.policy.filteredNetworks(of: stack).min() else { return }
    errors.append(
      StackError(
        "\(stackName)/\(network)", "the kernel does not filter within a network: br_netfilter is not loaded",
        remedy: "load it (modprobe br_netfilter, then sysctl -w net.bridge.bridge-nf-call-iptables=0, or it filters"
          + " every bridge), or put services that rules keep apart on networks of their own"))
  }

  // MARK: Instances

  /// One replica of a service.
  private struct Instance {
    var service: StackFile.Service
    var index: Int
    var name: String
  }

  private static func instances(of service: StackFile.Service) -> [Instance] {
    let name = service.name.value
    guard service.scale.value != 1 else { return [Instance(service: service, index: 1, name: name)] }
    return (0..<service.scale.value).map { Instance(service: service, index: $0 + 1, name: "\(name)-\($0 + 1)") }
  }

  /// Services after those that they depend on, otherwise as they stand in the file. The file has no cycles.
  private func inDependencyOrder(_ services: [StackFile.Service]) -> [StackFile.Service] {
    let byName = services.keyed(by: \.name.value)
    var placed: Set<String> = []
    var ordered: [StackFile.Service] = []
    func place(_ service: StackFile.Service) {
      guard placed.insert(service.name.value).inserted else { return }
      for dependency in service.dependencies {
        if let other = byName[dependency.service.value] { place(other) }
      }
      ordered.append(service)
    }
    services.forEach(place)
    return ordered
  }

  // MARK: Networks

  private struct ChosenNetwork {
    var desired: DesiredNetwork
    var range: IPv4Prefix?
  }

  private mutating func chooseSubnets(
    _ networks: [StackFile.Network], _ instances: [Instance]
  ) -> [ChosenNetwork] {
    var allocator = AddressAllocator(
      pools: facts.pools,
      taken: facts.ranges.compactMap { range in
        guard case .v4(let prefix) = range.prefix else { return nil }
        return AddressAllocator.Taken(prefix: prefix, user: range.user, link: range.link)
      })
    claimFixedPrefixes(networks)
    // Fixed subnets first, so that no chosen one stands in their way.
    for network in networks {
      guard let subnet = network.subnet else { continue }
      // The network that a parent is on is the one that its macvlan is about. Where the host has no address, no route of its is in the
      // way.
      let taken =
        !network.hasHost ? nil : allocator.user(of: subnet.value) { $0.link != nil && $0.link == network.parent?.value }
      if let taken {
        errors.append(
          StackError(
            "\(stackName)/\(network.name.value)", "subnet \(subnet.value) overlaps \(taken.prefix), \(taken.user)",
            remedy: "choose another subnet in \(subnet.span.place), or leave it out and one is chosen"))
      }
      allocator.claim(subnet.value, for: "network \(network.name.value)")
    }
    claimLinks(&allocator)
    claimFurtherAddresses(&allocator)
    for vlan in networks.flatMap(\.vlans) {
      if let subnet = vlan.subnet { allocator.claim(subnet.value, for: "VLAN \(vlan.id.value)") }
    }
    return networks.compactMap { network in
      let name = network.name.value
      if network.external != nil {
        return joined(network).map { ChosenNetwork(desired: $0, range: nil) }
      }
      let hosts = instances.count { $0.service.attachments.contains { $0.network.value == name } }
      guard
        let subnet = network.subnet?.value ?? keptSubnet(name, hosts, &allocator)
          ?? allocator.subnet(hosts: hosts, for: name)
      else {
        errors.append(usedUp(allocator, network, hosts))
        return nil
      }
      let gateway = network.gateway?.value ?? IPv4Address(bits: subnet.network.bits + 1)
      let stackName = stackName
      let bridge = linkName(before: previous?.network(named: name)?.bridge) {
        LinkName.bridge(stack: stackName, network: name, attempt: $0)
      }
      let kind = kind(of: network)
      var desired = DesiredNetwork(
        name: name, bridge: bridge, mac: MACAddress.derived(from: gateway), subnet: subnet, gateway: gateway,
        isInternal: network.isInternal || !network.hasHost, declaredAt: SourceLine(network.name.span.place),
        mtu: network.mtu.map { UInt32($0.value) } ?? kind.largestPacket, kind: kind,
        vlans: vlans(of: network, instances.map(\.service)),
        givenName: network.givenName?.value, ipv6: chooseIPv6(of: network))
      desired.hasHost = network.hasHost
      desired.masquerades = network.masquerades
      // Each address may be a service's, so none gives the bridge its own.
      if !network.hasHost {
        desired.mac = MACAddress(
          bits: 0x0200_0000_0000 | StableHash("bridge", stackName, name).value & 0xFF_FFFF_FFFF)
      }
      return ChosenNetwork(
        desired: desired,
        range: network.addressRange?.value)
    }
  }

  private func usedUp(_ allocator: AddressAllocator, _ network: StackFile.Network, _ hosts: Int) -> StackError {
    let pools = allocator.pools.map { pool in
      "\(pool)" + (allocator.widestUser(of: pool).map { " (\($0.prefix) is \($0.user))" } ?? "")
    }
    return StackError(
      "\(stackName)/\(network.name.value)",
      "no free subnet for \(hosts) services is left in \(pools.joined(separator: ", "))",
      remedy: "give the network a subnet in \(network.name.span.place), take down a stack,"
        + " or set another pool (STACK_POOL, or pool = … in /etc/stack/config)")
  }

  /// The subnet that the network has now, if it is still wide enough and free.
  ///
  /// A wider route that the host has got meanwhile, of a VPN for instance, is no reason to move: the subnet's own is longer.
  private func keptSubnet(_ name: String, _ hosts: Int, _ allocator: inout AddressAllocator) -> IPv4Prefix? {
    guard let subnet = previous?.network(named: name)?.subnet,
      facts.pools.contains(where: { $0.contains(subnet.network) }),
      subnet.length <= AddressAllocator.prefixLength(hosts: hosts),
      allocator.user(of: subnet, except: { $0.link != nil && $0.prefix.length < subnet.length }) == nil
    else { return nil }
    allocator.claim(subnet, for: "network \(name)")
    return subnet
  }

  /// A name that no other link has: the one of before if there is one, so that what is there can stay.
  mutating func linkName(before: String?, _ name: (_ attempt: Int) -> String) -> String {
    if let before, takenLinks.insert(before).inserted { return before }
    var attempt = 0
    while !takenLinks.insert(name(attempt)).inserted { attempt += 1 }
    return name(attempt)
  }

  /// A device group that no other link has, so that deleting the group deletes only this stack's links.
  ///
  /// It is one of the upper half of those that ip(8) takes. A stack that is up keeps its own, which a former version may have
  /// chosen beyond.
  private func chooseLinkGroup() -> UInt32 {
    if let previous { return previous.linkGroup }
    let wanted = UInt32(truncatingIfNeeded: StableHash("group", stackName).value)
    return Self.freeLinkGroup(from: wanted & DesiredStack.highestLinkGroup | 0x4000_0000, besides: facts.linkGroups)
  }

  static func freeLinkGroup(from wanted: UInt32, besides taken: Set<UInt32>) -> UInt32 {
    var group = wanted
    while taken.contains(group) { group = group == DesiredStack.highestLinkGroup ? 0x4000_0000 : group + 1 }
    return group
  }

  // MARK: Addresses

  /// The free addresses of each network, and the addresses of before.
  struct Addresses {
    /// By network, and by network and VLAN: `front`, `front/10`.
    var free: [String: HostAddresses] = [:]
    var free6: [String: IPv6HostAddresses] = [:]
    /// By instance and network.
    var kept: [String: [String: IPv4Address]] = [:]
    /// The bridge that each instance is on.
    var places = Places(kept: [:])
  }

  /// Whoever has an address keeps it, before those that have none yet are given theirs.
  private func chooseAddresses(_ networks: [ChosenNetwork], _ instances: [Instance]) -> Addresses {
    var addresses = Addresses()
    for network in networks {
      let fixed =
        instances.flatMap { instance in
          instance.service.attachments.filter { $0.network.value == network.desired.name }.compactMap {
            $0.address?.value
          }
        } + instances.flatMap { Self.furtherAddresses(of: $0.service, on: network.desired.name) }.compactMap(\.ipv4)
      addVLANs(of: network.desired, instances.map(\.service), &addresses)
      addresses.free[network.desired.name] = HostAddresses(
        subnet: network.desired.subnet, within: network.range,
        reserved: fixed + (isRouted(network.desired) ? [network.desired.gateway] : [])
          + (facts.members[network.desired.bridge] ?? []).map(\.address)
          + (file.networks[network.desired.name]?.reserved.map(\.value) ?? [])
          + (network.desired.kind.parent.flatMap { facts.parents[$0] } ?? []))
      if let ipv6 = network.desired.ipv6 {
        let fixed = instances.flatMap { instance in
          Self.fixedIPv6Addresses(of: instance.service, on: network.desired.name)
            + Self.furtherAddresses(of: instance.service, on: network.desired.name).compactMap(\.ipv6)
        }
        addresses.free6[network.desired.name] = IPv6HostAddresses(
          ipv6, reserved: fixed + (isRouted6(network.desired) ? [ipv6.gateway] : []))
      }
    }
    for instance in instances {
      let before = previousServices[instance.name]?.attachments ?? []
      for wanted in instance.service.attachments where wanted.address == nil {
        let network = wanted.network.value
        if let address = before.first(where: { $0.network == network })?.address,
          let pool = networks.first(where: { $0.desired.name == network })?.desired.pool(of: wanted).name,
          addresses.free[pool]?.take(address) == true
        {
          addresses.kept[instance.name, default: [:]][network] = address
        }
      }
    }
    addresses.places = Places(kept: keptSegments(instances.map(\.name)))
    return addresses
  }

  private mutating func attachments(
    of instance: Instance, in networks: [ChosenNetwork], _ addresses: inout Addresses,
    _ names: inout [String: InterfaceNames]
  ) -> [DesiredAttachment] {
    let before = previousServices[instance.name]?.attachments ?? []
    var attachments: [DesiredAttachment] = []
    let linked = linkEnds[instance.service.name.value] ?? []
    var free = InterfaceNames(
      given: (instance.service.attachments.map(\.interface) + linked.map(\.interface)).compactMap(\.?.value))
    defer { names[instance.name] = free }
    for wanted in instance.service.attachments {
      let interface = wanted.interface?.value ?? free.next()
      guard let network = networks.first(where: { $0.desired.name == wanted.network.value })?.desired else { continue }
      let kept = addresses.kept[instance.name]?[network.name]
      let pool = network.pool(of: wanted)
      guard let address = wanted.address?.value ?? kept ?? addresses.free[pool.name]?.take() else {
        errors.append(
          StackError(
            "\(stackName)/\(instance.name)", "no address is left in \(pool.subnet) of network \(pool.name)",
            remedy: "give the network a wider subnet in \(network.declaredAt.map(\.description) ?? "the stack file")"))
        continue
      }
      let stackName = stackName
      let link = linkName(before: before.first { $0.network == network.name }?.link) {
        LinkName.veth(stack: stackName, service: instance.name, network: network.name, attempt: $0)
      }
      var desired = DesiredAttachment(
        network: network.name, interface: interface, link: link, address: address,
        mac: wanted.mac?.value ?? MACAddress.derived(from: address), aliases: wanted.aliases.map(\.value),
        isDefaultRoute: false,
        vlan: membership(of: wanted, interface, instance.name, in: network, &addresses),
        segment: segment(of: instance.name, wanted.vlan?.value, on: network, &addresses), parent: network.kind.parent,
        ipv6: ipv6Address(of: wanted, besides: address, in: network, &addresses)
          .map { DesiredAttachment.IPv6(address: $0) },
        claims: claims(of: wanted), conditions: conditions(of: wanted, instance.name),
        override: before.first { $0.network == network.name }?.override)
      desired.isWithoutHost = !network.hasHost
      desired.furtherAddresses = wanted.furtherAddresses.map { DesiredAddress($0.value) }
      attachments.append(desired)
    }
    markDefaultRoute(&attachments, instance, networks)
    return attachments
  }

  /// True if a network has a gateway: the host, or a router that the file names.
  private func isRouted(_ network: DesiredNetwork) -> Bool {
    network.hasHost || file.networks[network.name]?.gateway != nil
  }

  private func isRouted6(_ network: DesiredNetwork) -> Bool {
    network.hasHost || file.networks[network.name]?.gateway6 != nil
  }

  /// The default route goes through the attachment with the highest priority that leads out; of equals, the first.
  private func markDefaultRoute(
    _ attachments: inout [DesiredAttachment], _ instance: Instance, _ networks: [ChosenNetwork]
  ) {
    let priorities = Dictionary(
      instance.service.attachments.map { ($0.network.value, $0.gatewayPriority) }, uniquingKeysWith: max)
    let leadingOut = attachments.indices.filter { index in
      networks.contains { network in
        guard network.desired.name == attachments[index].network else { return false }
        // Out of a VLAN leads its router, whatever the host does.
        guard attachments[index].accessVLAN == nil else {
          return network.desired.gateway(of: attachments[index]) != nil
        }
        return network.desired.hasHost
          ? !network.desired.isInternal
          : isRouted(network.desired) && attachments[index].address != network.desired.gateway
      }
    }
    func isLess(_ left: Int, _ right: Int) -> Bool {
      let (leftPriority, rightPriority) = (
        priorities[attachments[left].network] ?? 0, priorities[attachments[right].network] ?? 0
      )
      return leftPriority != rightPriority ? leftPriority < rightPriority : left > right
    }
    if let best = leadingOut.max(by: isLess) { attachments[best].isDefaultRoute = true }
    let leadingOut6 = attachments.indices.filter { index in
      guard let network = networks.first(where: { $0.desired.name == attachments[index].network })?.desired,
        let own = attachments[index].ipv6
      else { return false }
      return network.hasHost
        ? leadingOut.contains(index) : isRouted6(network) && own.address != network.ipv6?.gateway
    }
    if let best = leadingOut6.max(by: isLess) {
      attachments[best].ipv6?.isDefaultRoute = true
    }
  }

  // MARK: Services

  private func service(
    _ instance: Instance, _ attachments: [DesiredAttachment], _ networks: [ChosenNetwork]
  ) -> DesiredService {
    let service = instance.service
    return DesiredService(
      name: instance.name, service: service.name.value, index: instance.index,
      containerName: service.containerName?.value,
      hostname: service.hostname?.value ?? instance.name, domainname: service.domainname?.value,
      root: DesiredRoot(service), process: DesiredProcess(service),
      mounts: service.mounts.map(DesiredMount.init),
      attachments: attachments, nameResolution: DesiredNameResolution(service.nameResolution), ports: [],
      readyPorts: Self.readyPorts(service), rangePorts: Self.rangePorts(service),
      dependencies: service.dependencies.map(Dependency.init),
      stop: StopPolicy(
        signal: (service.stopSignal?.value ?? .terminate).number, grace: service.stopGracePeriod),
      restart: RestartPolicy(service.restart), healthCheck: service.healthCheck.flatMap(HealthCheck.init),
      limits: service.limits, settings: service.settings,
      labels: Dictionary(service.labels.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 }),
      declaredAt: SourceLine(service.name.span.place), extraHosts: extraHosts(service, attachments, networks),
      namespace: namespaceOwner(of: service), forwards: service.forwarding?.value ?? false)
  }

  /// Through those who share with others to the one whose it is. The file has no cycles.
  func namespaceOwner(of service: StackFile.Service) -> NamespaceOwner {
    switch service.networkMode?.value {
    case nil, .isolated: .own
    case .host: .host
    case .service(let name):
      switch file.services[name].map(namespaceOwner) ?? .own {
      case .own: .service(name)
      case let further: further
      }
    }
  }

  private func extraHosts(
    _ service: StackFile.Service, _ attachments: [DesiredAttachment], _ networks: [ChosenNetwork]
  ) -> [DesiredHost] {
    let beside = attachments.filter { !$0.isWithoutHost }
    let way = beside.first(where: \.isDefaultRoute) ?? beside.first
    let gateway = networks.first { $0.desired.name == way?.network }?.desired.gateway
    return service.extraHosts.compactMap { host in
      switch host.address.value {
      case .fixed(let address): DesiredHost(name: host.name.value, address: address)
      case .gateway:
        service.networkMode?.value == .host
          ? DesiredHost(name: host.name.value, address: .v4(.loopback))
          : gateway.map { DesiredHost(name: host.name.value, address: .v4($0)) }
      }
    }
  }

  private static func rangePorts(_ service: StackFile.Service) -> [ListeningPort] {
    service.exposed.filter { $0.ports.count > 1 }.flatMap { port in
      TransportProtocol(port.transport).map { transport in
        [port.ports.lowerBound, port.ports.upperBound].map { ListeningPort(port: $0, transport: transport) }
      } ?? []
    }.uniqued()
  }

  /// The ports that must listen before the service counts as ready. A range only says where a service may listen.
  ///
  /// A service with an image is ready when it is started, as with Compose: files publish ports that nothing listens on.
  private static func readyPorts(_ service: StackFile.Service) -> [ListeningPort] {
    guard service.imageName == nil else { return [] }
    let published = service.ports.filter { $0.container.count == 1 }.compactMap { port in
      TransportProtocol(port.transport).map { ListeningPort(port: port.container.lowerBound, transport: $0) }
    }
    let exposed = service.exposed.filter { $0.ports.count == 1 }.compactMap { port in
      TransportProtocol(port.transport).map { ListeningPort(port: port.ports.lowerBound, transport: $0) }
    }
    var seen: Set<ListeningPort> = []
    return (published + exposed).filter { seen.insert($0).inserted }
  }
}
