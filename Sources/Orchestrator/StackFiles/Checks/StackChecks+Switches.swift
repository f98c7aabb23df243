import Vocabulary

extension StackChecks {
  /// Switches that have nothing but cables, and in which no frame goes round forever.
  func checkSwitches() {
    let switches = stack.services.filter { $0.switching != nil }
    guard !switches.isEmpty else { return }
    for service in switches { check(service) }
    checkCircle(of: switches)
  }

  private func check(_ service: StackFile.Service) {
    guard let switching = service.switching else { return }
    let name = service.name.value
    func report(_ problem: String, at span: Span, help: String) {
      diagnostics.add(
        Diagnostic(
          .badSwitch, "switch \"\(name)\" \(problem)", at: span,
          also: [Diagnostic.Label(switching.span, "it is a switch")], help: [help]))
    }
    if let attachment = service.attachments.first {
      report(
        "is on a network", at: attachment.network.span,
        help: "join it by cables: a network of the stack is a switch of its own")
    }
    if let mode = service.networkMode, mode.value != .isolated {
      report("has no network of its own", at: mode.span, help: "leave `network_mode` out")
    }
    if let port = service.ports.first {
      report("publishes a port", at: port.span, help: "leave `ports` out: it has no address")
    }
    if let route = service.routes.first {
      report("has a route", at: route.destination.span, help: "leave `routes` out: it has no address")
    }
    if service.scale.value > 1 {
      report("has \(service.scale.value) replicas", at: service.scale.span, help: "write a service for each switch")
    }
    for end in stack.links.flatMap(\.ends) where end.service.value == name {
      guard let address = end.addresses.first else { continue }
      report(
        "has an address on a cable", at: address.span, help: "leave it out: addresses are those of whom the cable joins"
      )
    }
  }

  private func checkCircle(of switches: [StackFile.Service]) {
    let cables = stack.links.map { ($0.first.service.value, $0.second.service.value) }
    let plain = switches.filter { $0.switching?.value.usesSpanningTree == false }
    let names = Set(switches.map(\.name.value))
    guard !plain.isEmpty, let cable = CableDomains.circle(cables, switches: names) else { return }
    let link = stack.links[cable]
    let closing = Set([link.first.service.value, link.second.service.value])
    let one = plain.first { closing.contains($0.name.value) } ?? plain[0]
    diagnostics.add(
      Diagnostic(
        .badSwitch, "cables join switches in a circle, in which frames go round forever", at: link.span,
        "this one closes it",
        also: one.switching.map { [Diagnostic.Label($0.span, "\"\(one.name.value)\" blocks no port")] } ?? [],
        help: ["write `switch: {stp: true}` at each of them, or leave a cable out"]))
  }

  /// The groups of cables that carry each other's frames.
  var cableDomains: CableDomains {
    CableDomains(
      stack.links.map { ($0.first.service.value, $0.second.service.value) },
      switches: Set(stack.services.filter { $0.switching != nil }.map(\.name.value)))
  }
}
