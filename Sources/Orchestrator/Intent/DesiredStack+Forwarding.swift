extension DesiredStack {
  /// A stack with nothing in it: what was there before the first `up`.
  package static func empty(named name: String) -> DesiredStack {
    DesiredStack(name: name, file: "", networks: [], services: [], volumes: [], linkGroup: 0)
  }

  package var publishedPorts: [PublishedPort] { services.flatMap(\.ports) }

  /// A stack that is inside alone needs nothing of the host.
  package var neededForwarding: Forwarding {
    var needed: Forwarding = []
    if networks.contains(where: { !$0.isInternal }) || !publishedPorts.isEmpty { needed.insert(.ipv4) }
    if networks.contains(where: { $0.ipv6 != nil && !$0.isInternal })
      || services.contains(where: { $0.hasIPv6 && !$0.ports.isEmpty })
    {
      needed.insert(.ipv6)
    }
    return needed
  }
}
