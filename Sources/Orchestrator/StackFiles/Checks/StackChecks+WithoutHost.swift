import Addresses

extension StackChecks {
  /// Networks that the host has no address in: nothing is led into them, and their gateway is a service's.
  func checkNetworksWithoutHost() {
    for network in stack.networks where network.external == nil {
      if network.hasHost {
        let narrow = [
          network.subnet.flatMap { $0.value.length > 30 ? $0.map { IPPrefix.v4($0) } : nil },
          network.subnet6.flatMap { $0.value.length > 126 ? $0.map { IPPrefix.v6($0) } : nil },
        ]
        for subnet in narrow.compactMap(\.self) { diagnostics.add(.noRoom(in: subnet)) }
      } else {
        checkDriver(of: network)
        checkGateways(of: network)
      }
    }
    for service in stack.services { checkWays(of: service) }
  }

  private func checkDriver(of network: StackFile.Network) {
    guard let host = network.host, let driver = network.driver, driver.value == .macvlan else { return }
    diagnostics.add(
      Diagnostic(
        .networkWithoutHost, "\"host\" is for networks with a bridge", at: host.span,
        also: [Diagnostic.Label(driver.span, "the host has no address in a macvlan network anyway")],
        help: ["leave it out"]))
  }

  /// A router that nobody is: packets to elsewhere get no further.
  private func checkGateways(of network: StackFile.Network) {
    let attachments = stack.services.flatMap { service in
      service.attachments.filter { $0.network.value == network.name.value }
    }
    let fixed = attachments.flatMap { attachment -> [IPAddress] in
      [attachment.address.map { .v4($0.value) }, attachment.address6.map { .v6($0.value) }].compactMap(\.self)
        + attachment.furtherAddresses.map(\.value.address)
    }
    let claimed = attachments.flatMap(\.claims).contains { claim in
      switch claim.value {
      case .prefix, .dhcp, .any: true
      case .hardware: false
      }
    }
    let gateways = [network.gateway?.map(IPAddress.v4), network.gateway6?.map(IPAddress.v6)].compactMap(\.self)
    for gateway in gateways where !claimed && !fixed.contains(gateway.value) {
      diagnostics.add(
        Diagnostic(
          .routerOfNobody, "no service has the gateway \(gateway.value) of \"\(network.name.value)\"", at: gateway.span,
          also: network.host.map { [Diagnostic.Label($0.span, "the host does not have it")] } ?? [],
          help: ["give it to the router: `networks: {\(network.name.value): {ipv4_address: \(gateway.value)}}`"]))
    }
  }

  /// Reports published ports and host addresses of a service that shares no network with the host.
  private func checkWays(of service: StackFile.Service) {
    let networks = service.attachments.compactMap { stack.networks[$0.network.value] }
    guard !networks.isEmpty, networks.allSatisfy({ !$0.hasHost }) else { return }
    let label = networks.compactMap(\.host).prefix(1).map { Diagnostic.Label($0.span, "the host is not in it") }
    if let port = service.ports.first {
      diagnostics.add(
        Diagnostic(
          .networkWithoutHost,
          "service \"\(service.name.value)\" publishes a port, and the host is on none of its networks", at: port.span,
          also: label, help: ["put it on a second network that the host is on, or leave `ports` out"]))
    }
    for host in service.extraHosts where host.address.value == .gateway {
      diagnostics.add(
        Diagnostic(
          .networkWithoutHost, "service \"\(service.name.value)\" does not reach the host", at: host.address.span,
          also: label, help: ["put it on a second network that the host is on, or leave the line out"]))
    }
  }
}
