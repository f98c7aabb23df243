extension StackChecks {
  /// A service without a network of its own is given nothing that is for one.
  func checkNetworkModes() {
    for service in stack.services {
      guard let mode = service.networkMode else { continue }
      for (key, span) in Self.conflicts(of: service, mode.value) {
        diagnostics.add(
          Diagnostic(
            .networkModeConflict,
            "\"\(key)\" and \"network_mode: \(mode.value)\" exclude each other", at: span,
            also: [Diagnostic.Label(mode.span, "\"network_mode\" is given here")], help: [Self.help(key, mode.value)]))
      }
      if case .service(let name) = mode.value, let owner = stack.services[name], owner.scale.value != 1 {
        diagnostics.add(
          Diagnostic(
            .scaleConflict,
            "service \"\(service.name.value)\" shares the network of \"\(name)\", which has \(owner.scale.value) replicas",
            at: mode.span, also: [Diagnostic.Label(owner.scale.span, "\(owner.scale.value) replicas")],
            help: ["only the network of a single one can be shared"]))
      }
    }
  }

  private static func conflicts(
    of service: StackFile.Service, _ mode: StackFile.NetworkMode
  ) -> [(key: String, span: Span)] {
    var found: [(key: String, span: Span)] = []
    if let first = service.attachments.first { found.append(("networks", first.network.span)) }
    if let first = service.ports.first { found.append(("ports", first.span)) }
    for host in service.extraHosts where host.address.value == .gateway && mode != .host {
      found.append(("host-gateway", host.address.span))
    }
    guard mode != .isolated else { return found }
    if let first = service.routes.first { found.append(("routes", first.destination.span)) }
    if let first = service.loopback.first { found.append(("loopback", first.span)) }
    if let forwarding = service.forwarding { found.append(("forward", forwarding.span)) }
    return found
  }

  private static func help(_ key: String, _ mode: StackFile.NetworkMode) -> String {
    switch mode {
    case .isolated: "leave one of them out: a service on no network is reached by its links alone"
    case .host: "leave one of them out: what the service listens on, the host listens on"
    case .service(let name): "leave one of them out, or give \"\(key)\" to \"\(name)\", whose network it is"
    }
  }
}
