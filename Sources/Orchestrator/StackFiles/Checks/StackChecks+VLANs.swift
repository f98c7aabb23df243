import Addresses

extension StackChecks {
  func checkVLANs() {
    for network in stack.networks { checkVLANs(of: network) }
    for service in stack.services {
      for attachment in service.attachments {
        guard let membership = attachment.vlan, let network = stack.networks[attachment.network.value] else { continue }
        if let span = network.external ?? network.driver.flatMap({ $0.value == .macvlan ? $0.span : nil }) {
          diagnostics.add(
            Diagnostic(
              .badVLAN, "service \"\(service.name.value)\" is in a VLAN of \"\(network.name.value)\", which has none",
              at: membership.span, also: [Diagnostic.Label(span, "only a stack's own bridge has VLANs")],
              help: ["leave `vlan` out"]))
          continue
        }
        switch membership.value {
        case .access(let id): checkDeclared(id, network)
        case .trunk(let vlans): checkTrunk(vlans, of: service, network)
        }
      }
      checkPublishing(by: service)
    }
  }

  private func checkVLANs(of network: StackFile.Network) {
    var first: [Int: Span] = [:]
    for vlan in network.vlans {
      if let other = first.updateValue(vlan.id.span, forKey: vlan.id.value) {
        diagnostics.add(
          Diagnostic(
            .badVLAN, "VLAN \(vlan.id.value) is declared twice", at: vlan.id.span, "again here",
            also: [Diagnostic.Label(other, "first here")]))
      }
      guard let gateway = vlan.gateway else { continue }
      guard let subnet = vlan.subnet else {
        diagnostics.add(
          Diagnostic(
            .addressWithoutSubnet, "VLAN \(vlan.id.value) has a gateway but no subnet", at: gateway.span,
            help: ["declare it: `subnet: 10.1.\(vlan.id.value % 256).0/24`"]))
        continue
      }
      checkInside(gateway, subnet, "the gateway")
    }
  }

  private func checkInside(_ address: Located<IPv4Address>, _ subnet: Located<IPv4Prefix>, _ what: String) {
    guard !subnet.value.contains(address.value) else { return }
    diagnostics.add(
      Diagnostic(
        .outsideSubnet, "\(what) \(address.value) is outside the VLAN's subnet", at: address.span,
        also: [Diagnostic.Label(subnet.span, "the subnet is \(subnet.value)")]))
  }

  /// Reports a number that a network with declared VLANs does not declare: it is a typing error.
  private func checkDeclared(_ id: Located<Int>, _ network: StackFile.Network) {
    guard let declared = network.vlans.first, !network.vlans.contains(where: { $0.id.value == id.value }) else {
      return
    }
    let known = network.vlans.map { "\($0.id.value)" }.joined(separator: ", ")
    diagnostics.add(
      Diagnostic(
        .badVLAN, "network \"\(network.name.value)\" has no VLAN \(id.value)", at: id.span,
        also: [Diagnostic.Label(declared.id.span, "it has \(known)")]))
  }

  private func checkTrunk(_ vlans: [StackFile.TrunkVLAN], of service: StackFile.Service, _ network: StackFile.Network) {
    var first: [Int: Span] = [:]
    for vlan in vlans {
      checkDeclared(vlan.id, network)
      if let other = first.updateValue(vlan.id.span, forKey: vlan.id.value) {
        diagnostics.add(
          Diagnostic(
            .badVLAN, "VLAN \(vlan.id.value) is twice in a trunk", at: vlan.id.span, "again here",
            also: [Diagnostic.Label(other, "first here")]))
      }
      guard let address = vlan.address else { continue }
      if service.scale.value > 1 {
        diagnostics.add(
          Diagnostic(
            .scaleConflict,
            "service \"\(service.name.value)\" has \(service.scale.value) replicas and one fixed address",
            at: address.span, also: [Diagnostic.Label(service.scale.span, "\(service.scale.value) replicas")],
            help: ["leave it out: each replica gets one of its own"]))
      }
      if let subnet = network.vlans.first(where: { $0.id.value == vlan.id.value })?.subnet {
        checkInside(address, subnet, "the address")
      } else {
        diagnostics.add(
          Diagnostic(
            .addressWithoutSubnet, "VLAN \(vlan.id.value) of \"\(network.name.value)\" has no subnet", at: address.span,
            help: ["declare it: `vlans: {\(vlan.id.value): \(Self.likelySubnet(of: address.value))}`"]))
      }
    }
  }

  /// The host is where frames without a tag are: it leads nobody into a VLAN.
  private func checkPublishing(by service: StackFile.Service) {
    guard let port = service.ports.first, !service.attachments.isEmpty else { return }
    let memberships = service.attachments.map(\.vlan)
    let isApart = memberships.allSatisfy { if case .access = $0?.value { true } else { false } }
    guard isApart, let membership = memberships.first.flatMap(\.self) else { return }
    diagnostics.add(
      Diagnostic(
        .badVLAN, "service \"\(service.name.value)\" publishes a port and is in a VLAN, where the host is not",
        at: port.span, also: [Diagnostic.Label(membership.span, "the VLAN")],
        help: ["put it on a second network without `vlan`, or leave `ports` out"]))
  }
}

extension StackFile.Network {
  /// The subnet that an attachment's address is of.
  func subnet(of attachment: StackFile.Attachment) -> Located<IPv4Prefix>? {
    guard case .access(let id) = attachment.vlan?.value,
      let own = vlans.first(where: { $0.id.value == id.value })?.subnet
    else { return subnet }
    return own
  }
}
