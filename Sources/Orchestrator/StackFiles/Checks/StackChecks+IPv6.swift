import Addresses

extension StackChecks {
  /// Checks the file's fixed IPv6 subnets and addresses: subnets are apart, and addresses are inside theirs.
  func checkIPv6() {
    checkSubnets6()
    for network in stack.networks { checkDetails6(of: network) }
    checkPorts6()
  }

  private func checkPorts6() {
    for service in stack.services where !service.ports.isEmpty {
      let networks = service.attachments.compactMap { stack.networks[$0.network.value] }
      let hasIPv6 = networks.contains(where: \.hasIPv6)
      for port in service.ports {
        if case .v6(let address)? = port.address, !hasIPv6 {
          let names = networks.map { "\"\($0.name.value)\"" }.joined(separator: ", ")
          diagnostics.add(
            Diagnostic(
              .portWithoutIPv6,
              "service \"\(service.name.value)\" publishes a port on \(address), and has no IPv6 address to lead it to",
              at: port.span, help: ["write `enable_ipv6: true` in its network \(names), or publish on an IPv4 address"])
          )
        }
        checkSources(of: port, hasIPv6: hasIPv6)
      }
    }
  }

  private func checkSources(of port: StackFile.PublishedPort, hasIPv6: Bool) {
    for source in port.sources ?? [] {
      let isPossible =
        switch (source.value, port.address) {
        case (.v4, nil), (.v4, .v4?), (.v6, .v6?): true
        case (.v6, nil): hasIPv6
        case (.v4, .v6?), (.v6, .v4?): false
        }
      guard !isPossible else { continue }
      diagnostics.add(
        Diagnostic(
          .sourceOfOtherFamily, "nobody in \(source.value) can reach the port", at: source.span,
          port.address.map { "it is published on \($0) alone" } ?? "the service has no IPv6"))
    }
  }

  private func checkSubnets6() {
    // A file has few of them: each is looked at beside each before it.
    var seen: [(network: StackFile.Network, subnet: Located<IPv6Prefix>)] = []
    for network in stack.networks {
      guard let subnet = network.subnet6 else { continue }
      if let other = seen.first(where: { $0.subnet.value.overlaps(subnet.value) }) {
        diagnostics.add(
          Diagnostic(
            .overlappingSubnets,
            "the networks \"\(other.network.name.value)\" and \"\(network.name.value)\" have addresses in common",
            at: subnet.span, "overlaps \(other.subnet.value)",
            also: [Diagnostic.Label(other.subnet.span, "declared here")]))
      }
      seen.append((network, subnet))
    }
  }

  private func checkDetails6(of network: StackFile.Network) {
    if !network.hasIPv6, let span = network.subnet6?.span ?? network.gateway6?.span {
      reportWithoutIPv6("network \"\(network.name.value)\" has an IPv6 subnet", at: span, network)
    }
    // RFC 8200, 5.
    if network.hasIPv6, let mtu = network.mtu, mtu.value < 1280 {
      diagnostics.add(
        Diagnostic(
          .numberOutOfRange, "IPv6 needs an MTU of 1280, and network \"\(network.name.value)\" has \(mtu.value)",
          at: mtu.span))
    }
    guard let gateway = network.gateway6 else { return }
    guard let subnet = network.subnet6 else {
      diagnostics.add(
        Diagnostic(
          .addressWithoutSubnet, "network \"\(network.name.value)\" has an IPv6 gateway but no IPv6 subnet",
          at: gateway.span, help: ["declare it: `subnet: fd00:1::/64`"]))
      return
    }
    checkInside(gateway.map(IPAddress.v6), "the gateway", of: network, subnet.map(IPPrefix.v6))
  }

  func reportWithoutIPv6(_ what: String, at span: Span, _ network: StackFile.Network) {
    diagnostics.add(
      Diagnostic(
        .networkWithoutIPv6, "\(what), and IPv6 is not enabled there", at: span,
        also: [
          Diagnostic.Label(
            network.ipv6?.span ?? network.name.span,
            network.ipv6 == nil ? "the network is declared here" : "it is switched off here")
        ], help: ["write `enable_ipv6: true` in the network"]))
  }

  /// False, with a diagnostic, for an address that the service cannot have there.
  func check(
    _ address: Located<IPv6Address>, of service: StackFile.Service, on network: StackFile.Network
  ) -> Bool {
    let name = network.name.value
    guard network.hasIPv6 else {
      reportWithoutIPv6(
        "service \"\(service.name.value)\" has an IPv6 address on \"\(name)\"", at: address.span, network)
      return false
    }
    guard let subnet = network.subnet6 else {
      // A subnet that was wrong has been reported.
      guard !diagnostics.contains(where: { [.badSubnet, .unusableSubnet].contains($0.code) }) else { return false }
      let likely = IPv6Prefix(containing: address.value, length: 64)?.description ?? "fd00:1::/64"
      diagnostics.add(
        Diagnostic(
          .addressWithoutSubnet,
          "service \"\(service.name.value)\" has a fixed address on \"\(name)\", which has no IPv6 subnet",
          at: address.span, also: [Diagnostic.Label(network.name.span, "the network is declared here")],
          help: ["declare one that holds the address: `subnet: \(likely)`"]))
      return true
    }
    let (place, range) = (address.map(IPAddress.v6), subnet.map(IPPrefix.v6))
    return checkInside(place, "the address", of: network, range)
      && checkIsNoGateway(
        place, of: network, range, gateway: network.gateway6?.map(IPAddress.v6), first: .v6(subnet.value.firstHost))
  }
}
