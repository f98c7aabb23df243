import Netlink

/// Chooses what a stack file leaves open (names, subnets, addresses, ports) so that nothing on the host is in the way. Pure.
struct Resolver {
  private let file: StackFile
  private let facts: HostFacts
  private let previous: DesiredStack?
  private let folder: StackFolder
  private var errors: [StackError] = []

  /// - Parameters:
  ///   - services: the services that are to run, of those in the file.
  ///   - previous: what the stack is now, so that what can stay as it is stays.
  /// - Throws: all that is in the way.
  static func resolve(
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
    self.folder = folder
  }

  private var stackName: String { file.name.value }

  private mutating func resolve(_ active: [StackFile.Service]) -> DesiredStack {
    let instances = inDependencyOrder(active).flatMap(Self.instances)
    let usedNetworks = file.networks.filter { network in
      !network.isImplicit || active.contains { $0.attachments.contains { $0.network.value == network.name.value } }
    }
    let networks = chooseSubnets(usedNetworks, instances)
    var addresses = chooseAddresses(networks, instances)
    var services: [DesiredService] = []
    for instance in instances {
      let attachments = attachments(of: instance, in: networks, &addresses)
      services.append(service(instance, attachments))
    }
    assignPorts(&services, active)
    let volumes = file.volumes.map { DesiredVolume(name: $0.name.value, folder: folder.volume($0.name.value)) }
    if facts.tables.contains(Firewall.tableName(stackName)) {
      errors.append(
        StackError(
          stackName, "an nftables table named \(Firewall.tableName(stackName)) exists already and is not a stack's",
          remedy: "remove it (nft delete table inet \(Firewall.tableName(stackName))) or give the stack another name"))
    }
    return DesiredStack(
      name: stackName, file: file.name.span.file.path, networks: networks.map(\.desired), services: services,
      volumes: volumes, linkGroup: chooseLinkGroup())
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
    let byName = Dictionary(services.map { ($0.name.value, $0) }, uniquingKeysWith: { first, _ in first })
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
      pool: facts.pool, taken: facts.ranges.map { AddressAllocator.Taken(prefix: $0.prefix, user: $0.user) })
    // Fixed subnets first, so that no chosen one stands in their way.
    for network in networks {
      guard let subnet = network.subnet else { continue }
      if let taken = allocator.user(of: subnet.value) {
        errors.append(
          StackError(
            "\(stackName)/\(network.name.value)", "subnet \(subnet.value) overlaps \(taken.prefix), \(taken.user)",
            remedy: "choose another subnet in \(subnet.span.place), or leave it out and one is chosen"))
      }
      allocator.claim(subnet.value, for: "network \(network.name.value)")
    }
    return networks.compactMap { network in
      let name = network.name.value
      let hosts = instances.count { $0.service.attachments.contains { $0.network.value == name } }
      guard
        let subnet = network.subnet?.value ?? keptSubnet(name, hosts, &allocator)
          ?? allocator.subnet(hosts: hosts, for: name)
      else {
        errors.append(
          StackError(
            "\(stackName)/\(name)", "no free subnet for \(hosts) services is left in \(facts.pool)",
            remedy: "give the network a subnet in \(network.name.span.place), or take down a stack"))
        return nil
      }
      let gateway = network.gateway?.value ?? IPv4Address(bits: subnet.network.bits + 1)
      let bridge = LinkName.bridge(stack: stackName, network: name)
      if facts.links.contains(bridge) {
        errors.append(
          StackError(
            "\(stackName)/\(name)", "a link named \(bridge) exists already and is not this stack's",
            remedy: "remove it (ip link del \(bridge)) or rename the network in \(network.name.span.place)"))
      }
      return ChosenNetwork(
        desired: DesiredNetwork(
          name: name, bridge: bridge, mac: Self.mac(for: gateway), subnet: subnet, gateway: gateway,
          isInternal: network.isInternal, declaredAt: SourceLine(network.name.span.place)),
        range: network.addressRange?.value)
    }
  }

  /// The subnet that the network has now, if it is still wide enough and free.
  private func keptSubnet(_ name: String, _ hosts: Int, _ allocator: inout AddressAllocator) -> IPv4Prefix? {
    guard let subnet = previous?.network(named: name)?.subnet, facts.pool.contains(subnet.network),
      subnet.length <= AddressAllocator.prefixLength(hosts: hosts), allocator.user(of: subnet) == nil
    else { return nil }
    allocator.claim(subnet, for: "network \(name)")
    return subnet
  }

  /// A locally administered address made of the IPv4 address: unique on its link, and easy to recognise in a capture.
  private static func mac(for address: IPv4Address) -> MACAddress {
    MACAddress(bits: 0x0273_0000_0000 | UInt64(address.bits))
  }

  /// A device group that no other link has, so that deleting the group deletes only this stack's links.
  private func chooseLinkGroup() -> UInt32 {
    if let previous { return previous.linkGroup }
    var group = UInt32(truncatingIfNeeded: StableHash("group", stackName).value) | 0x4000_0000
    while group == 0 || facts.linkGroups.contains(group) { group &+= 1 }
    return group
  }

  // MARK: Addresses

  private func chooseAddresses(_ networks: [ChosenNetwork], _ instances: [Instance]) -> [String: HostAddresses] {
    var addresses: [String: HostAddresses] = [:]
    for network in networks {
      let fixed = instances.flatMap { instance in
        instance.service.attachments.filter { $0.network.value == network.desired.name }.compactMap {
          $0.address?.value
        }
      }
      addresses[network.desired.name] = HostAddresses(
        subnet: network.desired.subnet, within: network.range, reserved: fixed + [network.desired.gateway])
    }
    return addresses
  }

  private mutating func attachments(
    of instance: Instance, in networks: [ChosenNetwork], _ addresses: inout [String: HostAddresses]
  ) -> [DesiredAttachment] {
    var attachments: [DesiredAttachment] = []
    for (number, wanted) in instance.service.attachments.enumerated() {
      guard let network = networks.first(where: { $0.desired.name == wanted.network.value })?.desired else { continue }
      guard let address = wanted.address?.value ?? address(of: instance, on: network, &addresses) else {
        errors.append(
          StackError(
            "\(stackName)/\(instance.name)", "no address is left in \(network.subnet) of network \(network.name)",
            remedy: "give the network a wider subnet in \(network.declaredAt.map(\.description) ?? "the stack file")"))
        continue
      }
      let link = LinkName.veth(stack: stackName, service: instance.name, network: network.name)
      if facts.links.contains(link) {
        errors.append(
          StackError(
            "\(stackName)/\(instance.name)", "a link named \(link) exists already and is not this stack's",
            remedy: "remove it: ip link del \(link)"))
      }
      attachments.append(
        DesiredAttachment(
          network: network.name, interface: "eth\(number)", link: link, address: address,
          mac: wanted.mac?.value ?? Self.mac(for: address), aliases: wanted.aliases.map(\.value), isDefaultRoute: false)
      )
    }
    markDefaultRoute(&attachments, instance, networks)
    return attachments
  }

  private func address(
    of instance: Instance, on network: DesiredNetwork, _ addresses: inout [String: HostAddresses]
  ) -> IPv4Address? {
    let before = previous?.service(named: instance.name)?.attachments.first { $0.network == network.name }?.address
    if let before, addresses[network.name]?.take(before) == true { return before }
    return addresses[network.name]?.take()
  }

  /// The default route goes through the attachment with the highest priority that leads out; of equals, the first.
  private func markDefaultRoute(
    _ attachments: inout [DesiredAttachment], _ instance: Instance, _ networks: [ChosenNetwork]
  ) {
    let priorities = Dictionary(
      instance.service.attachments.map { ($0.network.value, $0.gatewayPriority) }, uniquingKeysWith: max)
    let leadingOut = attachments.indices.filter { index in
      networks.contains { $0.desired.name == attachments[index].network && !$0.desired.isInternal }
    }
    let best = leadingOut.max { left, right in
      let (leftPriority, rightPriority) = (
        priorities[attachments[left].network] ?? 0, priorities[attachments[right].network] ?? 0
      )
      return leftPriority != rightPriority ? leftPriority < rightPriority : left > right
    }
    if let best { attachments[best].isDefaultRoute = true }
  }

  // MARK: Services

  private func service(_ instance: Instance, _ attachments: [DesiredAttachment]) -> DesiredService {
    let service = instance.service
    return DesiredService(
      name: instance.name, service: service.name.value, index: instance.index,
      containerName: service.containerName?.value,
      hostname: service.hostname?.value ?? instance.name, domainname: service.domainname?.value,
      root: DesiredRoot(service.rootfs.value), process: DesiredProcess(service),
      mounts: service.mounts.map(DesiredMount.init),
      attachments: attachments, ports: [], readyPorts: Self.readyPorts(service),
      dependencies: service.dependencies.map(Dependency.init),
      stop: StopPolicy(
        signal: (service.stopSignal?.value ?? .terminate).number, grace: service.stopGracePeriod),
      restart: RestartPolicy(service.restart), healthCheck: service.healthCheck.flatMap(HealthCheck.init),
      labels: Dictionary(service.labels.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 }),
      declaredAt: SourceLine(service.name.span.place))
  }

  /// What must be listened on before the service counts as ready. A range only says where a service may listen.
  private static func readyPorts(_ service: StackFile.Service) -> [ListeningPort] {
    let published = service.ports.filter { $0.container.count == 1 }.compactMap { port in
      TransportProtocol(port.transport).map { ListeningPort(port: port.container.lowerBound, transport: $0) }
    }
    let exposed = service.exposed.filter { $0.ports.count == 1 }.compactMap { port in
      TransportProtocol(port.transport).map { ListeningPort(port: port.ports.lowerBound, transport: $0) }
    }
    var seen: Set<ListeningPort> = []
    return (published + exposed).filter { seen.insert($0).inserted }
  }

  // MARK: Published ports

  private mutating func assignPorts(_ services: inout [DesiredService], _ active: [StackFile.Service]) {
    var ledger = PortLedger(facts: facts, stack: stackName)
    let declared = Dictionary(active.map { ($0.name.value, $0.ports) }, uniquingKeysWith: { first, _ in first })
    // What the file fixes comes first: a port that is chosen must not take it.
    for fixedFirst in [true, false] {
      for index in services.indices {
        for entry in declared[services[index].service] ?? [] {
          guard case .fixed = entry.host else {
            if !fixedFirst { choosePorts(for: entry, &services[index], &ledger) }
            continue
          }
          if fixedFirst { fixPorts(for: entry, &services[index], &ledger) }
        }
      }
    }
  }

  private mutating func fixPorts(
    for entry: StackFile.PublishedPort, _ service: inout DesiredService, _ ledger: inout PortLedger
  ) {
    for pair in entry.pairs {
      guard let port = publishedPort(entry, host: pair.host ?? 0, container: pair.container, service) else { return }
      if let user = ledger.take(port) {
        errors.append(portError(port, user, service, entry))
      }
      service.ports.append(port)
    }
  }

  private mutating func choosePorts(
    for entry: StackFile.PublishedPort, _ service: inout DesiredService, _ ledger: inout PortLedger
  ) {
    let range: ClosedRange<UInt16> = if case .oneOf(let range) = entry.host { range } else { 49152...65535 }
    for pair in entry.pairs {
      let before = previous?.service(named: service.name)?.ports
        .first { $0.target.port == pair.container && range.contains($0.hostPort) }?.hostPort
      guard var chosen = publishedPort(entry, host: before ?? range.lowerBound, container: pair.container, service)
      else {
        return
      }
      if ledger.user(of: chosen) != nil, let free = range.first(where: { ledger.isFree($0, chosen) }) {
        chosen.hostPort = free
      }
      guard ledger.take(chosen) == nil else {
        errors.append(
          StackError(
            "\(stackName)/\(service.name)", "no port in \(range.lowerBound)-\(range.upperBound) is free",
            remedy: "choose another host port in \(entry.span.place)"))
        return
      }
      service.ports.append(chosen)
    }
  }

  private mutating func publishedPort(
    _ entry: StackFile.PublishedPort, host: UInt16, container: UInt16, _ service: DesiredService
  ) -> PublishedPort? {
    guard let transport = TransportProtocol(entry.transport) else {
      errors.append(
        StackError(
          "\(stackName)/\(service.name)", "cannot publish an SCTP port",
          remedy: "use tcp or udp in \(entry.span.place)"))
      return nil
    }
    var address: IPv4Address?
    switch entry.address {
    case nil: address = nil
    case .v4(let v4): address = v4 == .any ? nil : v4
    case .v6(let v6):
      errors.append(
        StackError(
          "\(stackName)/\(service.name)", "cannot publish on the IPv6 address \(v6): the network has IPv4 only",
          remedy: "use an IPv4 address in \(entry.span.place)"))
      return nil
    }
    return PublishedPort(
      hostAddress: address, hostPort: host, target: ListeningPort(port: container, transport: transport),
      declaredAt: SourceLine(entry.span.place))
  }

  private func portError(
    _ port: PublishedPort, _ user: HostFacts.PortUser, _ service: DesiredService, _ entry: StackFile.PublishedPort
  ) -> StackError {
    let place = "\(port.hostAddress ?? .any):\(port.hostPort)/\(port.target.transport.rawValue)"
    let remedy: String
    switch user {
    case .stack(let name) where name == stackName:
      remedy = "choose another host port in \(entry.span.place)"
    case .stack(let name):
      remedy = "choose another host port in \(entry.span.place), or take that stack down: stack down \(name)"
    case .process, .socket:
      remedy = "choose another host port in \(entry.span.place), or stop that process"
    }
    return StackError("\(stackName)/\(service.name)", "cannot publish \(place): in use by \(user)", remedy: remedy)
  }
}
