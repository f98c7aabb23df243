import Addresses

extension StackChecks {
  /// Subnets apart from each other, and what is inside them inside them.
  func checkSubnets() {
    // In the order of their first address only neighbours can be the first to overlap; a wide one stays a candidate.
    let owned = stack.networks.flatMap { network in
      ([network.subnet] + network.vlans.map(\.subnet)).compactMap { subnet in
        subnet.map { Subnet(network: network.name.value, prefix: $0.value, span: $0.span) }
      }
    }
    var widest: Subnet?
    for subnet in owned.sorted(by: { ($0.prefix, $0.place) < ($1.prefix, $1.place) }) {
      if let other = widest, other.prefix.overlaps(subnet.prefix) {
        let isLater = other.place <= subnet.place
        report(isLater ? subnet : other, overlapping: isLater ? other : subnet)
      }
      if widest.map({ $0.prefix.last < subnet.prefix.last }) ?? true { widest = subnet }
    }
    for network in stack.networks { checkDetails(of: network) }
  }

  private struct Subnet {
    var network: String
    var prefix: IPv4Prefix
    var span: Span
    var place: Int { span.range.lowerBound }
  }

  private func report(_ subnet: Subnet, overlapping other: Subnet) {
    // A network has a subnet of its own and one for each VLAN.
    let subject =
      other.network == subnet.network
      ? "two subnets of network \"\(subnet.network)\"" : "the networks \"\(other.network)\" and \"\(subnet.network)\""
    diagnostics.add(
      Diagnostic(
        .overlappingSubnets, "\(subject) have addresses in common",
        at: subnet.span, "overlaps \(other.prefix)", also: [Diagnostic.Label(other.span, "declared here")]))
  }

  private func checkDetails(of network: StackFile.Network) {
    guard let subnet = network.subnet else {
      // A subnet that was wrong has been reported; the details may well be right for it.
      guard !network.isDamaged(diagnostics), network.external == nil else { return }
      for span in [network.gateway?.span, network.addressRange?.span].compactMap({ $0 }) {
        diagnostics.add(
          Diagnostic(
            .addressWithoutSubnet, "network \"\(network.name.value)\" has addresses but no subnet", at: span,
            help: ["declare it: `subnet: 10.1.0.0/24`"]))
      }
      return
    }
    if let gateway = network.gateway {
      checkInside(gateway.map(IPAddress.v4), "the gateway", of: network, subnet.map(IPPrefix.v4))
    }
    if let range = network.addressRange,
      range.value.length < subnet.value.length || !subnet.value.contains(range.value.network)
    {
      diagnostics.add(
        Diagnostic(
          .outsideSubnet, "the range \(range.value) is not inside the subnet of \"\(network.name.value)\"",
          at: range.span, also: [Diagnostic.Label(subnet.span, "the subnet is \(subnet.value)")]))
    }
  }

  /// False, with a diagnostic, for an address that no host of the subnet can have.
  @discardableResult
  func checkInside(
    _ address: Located<IPAddress>, _ what: String, of network: StackFile.Network, _ subnet: Located<IPPrefix>
  ) -> Bool {
    let label = Diagnostic.Label(subnet.span, "the subnet is \(subnet.value)")
    guard subnet.value.contains(address.value) else {
      diagnostics.add(
        Diagnostic(
          .outsideSubnet, "\(what) \(address.value) is outside the subnet of \"\(network.name.value)\"",
          at: address.span, also: [label]))
      return false
    }
    guard let role = Self.role(of: address.value, in: subnet.value) else { return true }
    diagnostics.add(
      Diagnostic(
        .reservedAddress, "\(what) \(address.value) is \(role) of \"\(network.name.value)\"", at: address.span,
        also: [label]))
    return false
  }

  /// The role of an address that is no single host's.
  private static func role(of address: IPAddress, in subnet: IPPrefix) -> String? {
    // In IPv6 it stands for any router of the subnet (RFC 4291, 2.6.1), and there is no broadcast.
    // Both addresses of a point-to-point link are hosts' (RFC 3021, RFC 6164).
    if subnet.length >= (subnet.network.isV4 ? 31 : 127) { return nil }
    if address == subnet.network { return "the network address" }
    if case .v4(let range) = subnet, address == .v4(range.last) { return "the broadcast address" }
    return nil
  }

  /// False, with a diagnostic, for a service's address that is the network's own gateway.
  ///
  /// - Parameters:
  ///   - gateway: the declared one.
  ///   - first: what it is where none is declared.
  func checkIsNoGateway(
    _ address: Located<IPAddress>, of network: StackFile.Network, _ subnet: Located<IPPrefix>,
    gateway: Located<IPAddress>?, first: IPAddress
  ) -> Bool {
    guard network.hasHost, address.value == gateway?.value ?? first else { return true }
    diagnostics.add(
      Diagnostic(
        .reservedAddress, "the address \(address.value) is the gateway of \"\(network.name.value)\"", at: address.span,
        also: [
          gateway.map { Diagnostic.Label($0.span, "the gateway is declared here") }
            ?? Diagnostic.Label(subnet.span, "the gateway is the first address of \(subnet.value)")
        ]))
    return false
  }

  func checkAddresses() {
    /// By network and address.
    var owners: [String: [(service: StackFile.Service, span: Span)]] = [:]
    func claim(_ what: String, _ span: Span, _ service: StackFile.Service, on network: StackFile.Network) {
      let key = "\(network.name.value) \(what)"
      reportDouble(what, span, service, owners[key])
      owners[key, default: []].append((service, span))
    }
    for service in stack.services {
      for attachment in service.attachments {
        guard let network = stack.networks[attachment.network.value] else { continue }
        if let mac = attachment.mac {
          claim("the hardware address \(mac.value)", mac.span, service, on: network)
        }
        if let address = attachment.address, check(address, of: service, on: network, attachment) {
          claim("the address \(address.value)", address.span, service, on: network)
        }
        if let address = attachment.address6, check(address, of: service, on: network) {
          claim("the address \(address.value)", address.span, service, on: network)
        }
        for address in attachment.furtherAddresses where check(address, of: service, on: network) {
          claim("the address \(address.value.address)", address.span, service, on: network)
        }
      }
    }
    for service in stack.services { checkOwnAddresses(of: service) }
  }

  /// Each of a service's addresses is on one of its interfaces.
  private func checkOwnAddresses(of service: StackFile.Service) {
    guard !service.loopback.isEmpty || service.attachments.contains(where: { !$0.furtherAddresses.isEmpty }) else {
      return
    }
    var first: [IPAddress: (network: String?, span: Span)] = [:]
    func claim(_ address: IPAddress, _ span: Span, on network: String?) {
      if address.isLinkLocal6 { return }
      // Twice on one network has been reported.
      guard let other = first[address] else { return first[address] = (network, span) }
      guard network == nil || other.network != network else { return }
      diagnostics.add(
        Diagnostic(
          .duplicateAddress, "service \"\(service.name.value)\" has the address \(address) twice", at: span,
          "again here", also: [Diagnostic.Label(other.span, "first here")]))
    }
    for attachment in service.attachments {
      let network = attachment.network.value
      if let address = attachment.address { claim(.v4(address.value), address.span, on: network) }
      if let address = attachment.address6 { claim(.v6(address.value), address.span, on: network) }
      for address in attachment.furtherAddresses { claim(address.value.address, address.span, on: network) }
    }
    for end in stack.links.flatMap(\.ends) where end.service.value == service.name.value {
      for address in end.addresses { claim(address.value.address, address.span, on: nil) }
    }
    for address in service.loopback { claim(address.value.address, address.span, on: nil) }
  }

  /// False, with a diagnostic, for a further address that the service cannot have on a network.
  private func check(
    _ address: Located<StackFile.InterfaceAddress>, of service: StackFile.Service, on network: StackFile.Network
  ) -> Bool {
    let own = address.map(\.address)
    guard own.value.isV4 || network.hasIPv6 || network.external != nil else {
      reportWithoutIPv6(
        "service \"\(service.name.value)\" has an IPv6 address on \"\(network.name.value)\"", at: address.span, network)
      return false
    }
    let subnet = own.value.isV4 ? network.subnet?.map(IPPrefix.v4) : network.subnet6?.map(IPPrefix.v6)
    // Outside the subnet, it is in a subnet of its own, which the file may not know.
    guard let subnet, subnet.value.contains(own.value) else { return true }
    let first: IPAddress =
      switch subnet.value {
      case .v4(let prefix): .v4(IPv4Address(bits: prefix.network.bits + 1))
      case .v6(let prefix): .v6(prefix.firstHost)
      }
    return checkInside(own, "the address", of: network, subnet)
      && checkIsNoGateway(
        own, of: network, subnet,
        gateway: own.value.isV4 ? network.gateway?.map(IPAddress.v4) : network.gateway6?.map(IPAddress.v6),
        first: first)
  }

  private func reportDouble(
    _ what: String, _ span: Span, _ service: StackFile.Service, _ owners: [(service: StackFile.Service, span: Span)]?
  ) {
    guard let owner = owners?.first(where: { Self.canRunTogether($0.service, service) }) else { return }
    diagnostics.add(
      Diagnostic(
        .duplicateAddress,
        owner.service.name == service.name
          ? "\(what) is given to \"\(service.name.value)\" twice"
          : "\(what) is given to \"\(owner.service.name.value)\" and to \"\(service.name.value)\"",
        at: span, "again here", also: [Diagnostic.Label(owner.span, "first here")]))
  }

  private func check(
    _ address: Located<IPv4Address>, of service: StackFile.Service, on network: StackFile.Network,
    _ attachment: StackFile.Attachment
  ) -> Bool {
    guard let subnet = network.subnet(of: attachment) else {
      if !network.isDamaged(diagnostics), network.external == nil {
        diagnostics.add(
          Diagnostic(
            .addressWithoutSubnet,
            "service \"\(service.name.value)\" has a fixed address on \"\(network.name.value)\", which has no subnet",
            at: address.span, also: [Diagnostic.Label(network.name.span, "the network is declared here")],
            help: ["declare one that holds the address: `subnet: \(Self.likelySubnet(of: address.value))`"]))
      }
      return true
    }
    let (place, range) = (address.map(IPAddress.v4), subnet.map(IPPrefix.v4))
    guard checkInside(place, "the address", of: network, range) else { return false }
    guard subnet == network.subnet else { return true }
    return checkIsNoGateway(
      place, of: network, range, gateway: network.gateway?.map(IPAddress.v4),
      first: .v4(IPv4Address(bits: subnet.value.network.bits + 1)))
  }

  static func likelySubnet(of address: IPv4Address) -> String {
    IPv4Prefix(containing: address, length: 24)?.description ?? "10.1.0.0/24"
  }
}

extension StackFile.Network {
  /// It had a subnet that could not be read: no use in saying that it has none.
  fileprivate func isDamaged(_ diagnostics: DiagnosticList) -> Bool {
    diagnostics.contains { [.badSubnet, .unusableSubnet].contains($0.code) }
  }
}
