import Addresses
import Vocabulary

extension StackChecks {
  /// Reports keys that a driver needs and keys that it has no use for.
  func checkDrivers() {
    var tunnels: [String: Span] = [:]
    for network in stack.networks where network.external == nil {
      let driver = network.driver?.value ?? .bridge
      for (key, owner, span) in network.driverKeys where owner != driver {
        guard let span else { continue }
        diagnostics.add(
          Diagnostic(
            .driverConflict, "\"\(key)\" is for a network of driver \(owner.rawValue)", at: span,
            "\"\(network.name.value)\" is a \(driver.rawValue)",
            also: network.driver.map { [Diagnostic.Label($0.span, "its driver")] } ?? [],
            help: ["leave it out, or write `driver: \(owner.rawValue)`"]))
      }
      for (key, example) in Self.missing(network, driver) {
        diagnostics.add(
          Diagnostic(
            .missingKey, "a \(driver.rawValue) network needs \"\(key)\"", at: network.driver?.span ?? network.name.span,
            help: ["write `\(key): \(example)`"]))
      }
      if let remote = network.remote, let local = network.local, remote.value.isV4 != local.value.isV4 {
        diagnostics.add(
          Diagnostic(
            .driverConflict, "\"local\" and \"remote\" are of two families", at: local.span,
            also: [Diagnostic.Label(remote.span, "the other host's address")]))
      }
      guard driver == .vxlan, let id = network.tunnelID else { continue }
      let key = "\(id.value) \(network.tunnelPort?.value ?? StackFile.Network.standardTunnelPort)"
      if let other = tunnels.updateValue(id.span, forKey: key) {
        diagnostics.add(
          Diagnostic(
            .driverConflict, "two networks have the id \(id.value) and the same port", at: id.span, "again here",
            also: [Diagnostic.Label(other, "first here")], help: ["choose another id"]))
      }
    }
    checkPublishing()
    checkConditions()
  }

  /// Delay, loss and rate are set at the host's end of a veth pair, which a macvlan does not have.
  private func checkConditions() {
    for service in stack.services {
      for attachment in service.attachments where !attachment.conditions.conditions.isClear {
        guard let driver = stack.networks[attachment.network.value]?.driver, driver.value == .macvlan else { continue }
        diagnostics.add(
          Diagnostic(
            .driverConflict, "service \"\(service.name.value)\" has conditions on its link to a macvlan network",
            at: attachment.network.span, also: [Diagnostic.Label(driver.span, "its driver")],
            help: ["only links to a stack's own bridges can be slow or lose packets"]))
      }
    }
  }

  private static func missing(
    _ network: StackFile.Network, _ driver: StackFile.Network.Driver
  ) -> [(key: String, example: String)] {
    let needed: [(key: String, example: String, isThere: Bool)] =
      switch driver {
      case .bridge: []
      case .macvlan: [("parent", "eth0", network.parent != nil), ("subnet", "192.168.1.0/24", network.subnet != nil)]
      case .vxlan:
        [
          ("id", "42", network.tunnelID != nil), ("remote", "192.0.2.7", network.remote != nil),
          ("subnet", "10.1.0.0/24", network.subnet != nil),
        ]
      }
    return needed.filter { !$0.isThere }.map { ($0.key, $0.example) }
  }

  /// The host does not reach what is beside it on a link of its own (macvlan), so it can lead nobody there.
  private func checkPublishing() {
    for service in stack.services {
      guard let port = service.ports.first, !service.attachments.isEmpty else { continue }
      let networks = service.attachments.compactMap { stack.networks[$0.network.value] }
      guard networks.allSatisfy({ $0.driver?.value == .macvlan }) else { continue }
      diagnostics.add(
        Diagnostic(
          .ignoredKey,
          "\"ports\" has no effect: \"\(service.name.value)\" is reached at its own address on the macvlan's network",
          at: port.span, also: networks.compactMap(\.driver).prefix(1).map { Diagnostic.Label($0.span, "its driver") }))
    }
  }
}

extension StackFile.Network {
  /// The port of VXLAN with IANA (RFC 7348).
  package static let standardTunnelPort = 4789

  fileprivate var driverKeys: [(key: String, driver: Driver, span: Span?)] {
    [
      ("parent", .macvlan, parent?.span), ("id", .vxlan, tunnelID?.span), ("remote", .vxlan, remote?.span),
      ("local", .vxlan, local?.span), ("port", .vxlan, tunnelPort?.span),
    ]
  }
}
