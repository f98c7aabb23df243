import Addresses

extension StackChecks {
  /// A class, as the service: a thousand of them are sorted and compared, and none is changed.
  private final class Claim {
    let publisher: Publisher
    let port: StackFile.PublishedPort
    let range: ClosedRange<UInt16>

    init(_ publisher: Publisher, _ port: StackFile.PublishedPort, _ range: ClosedRange<UInt16>) {
      (self.publisher, self.port, self.range) = (publisher, port, range)
    }

    var service: StackFile.Service { publisher.service }
  }

  private final class Publisher {
    let service: StackFile.Service

    init(_ service: StackFile.Service) {
      self.service = service
    }
  }

  /// Fixed ports of the host, each for one service. Ports to choose from are chosen apart later.
  func checkHostPorts() {
    for transport in StackFile.TransportProtocol.allCases {
      // What `run` makes for one command may take the port of its service, which need not be up.
      let services = stack.services.filter { service in
        !service.labels.contains { $0.name.value == OneOffService.label }
      }
      let claims = services.flatMap { service in
        let publisher = Publisher(service)
        return service.ports.compactMap { port -> Claim? in
          guard port.transport == transport, case .fixed(let range) = port.host else { return nil }
          return Claim(publisher, port, range)
        }
      }
      reportConflicts(among: claims)
    }
  }

  /// Swept in the order of the first port: only claims that reach as far as the next one can conflict with it.
  /// One that conflicts is reported and set aside, so that what is kept stays small.
  private func reportConflicts(among claims: [Claim]) {
    var open: [IPAddress?: [Claim]] = [:]
    for claim in claims.enumerated().sorted(by: {
      ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
    }).map(\.element) {
      let other = Self.rivals(of: claim.port.address, in: open.keys)
        .compactMap { open[$0]?.first { Self.conflict($0, claim) } }
        .min { $0.port.span.range.lowerBound < $1.port.span.range.lowerBound }
      if let other {
        report(claim, other)
      } else {
        open[claim.port.address, default: []].removeAll { $0.range.upperBound < claim.range.lowerBound }
        open[claim.port.address, default: []].append(claim)
      }
    }
  }

  /// The addresses whose claims can conflict with those of one: itself and wildcards, or for a wildcard all.
  private static func rivals(
    of address: IPAddress?, in open: some Collection<IPAddress?>
  ) -> [IPAddress?] {
    let wildcards: [IPAddress?] = [nil, .v4(.any), .v6(.any)]
    return wildcards.contains(address) ? Array(open) : wildcards + [address]
  }

  private static func conflict(_ left: Claim, _ right: Claim) -> Bool {
    guard left.range.overlaps(right.range), canRunTogether(left.service, right.service) else { return false }
    guard let first = left.port.address, let second = right.port.address else { return true }
    switch (first, second) {
    case (.v4(let first), .v4(let second)): return first == second || first == .any || second == .any
    case (.v6(let first), .v6(let second)): return first == second || first == .any || second == .any
    // A wildcard of IPv6 is one of IPv6 only: the two families are published apart.
    case (.v4, .v6), (.v6, .v4): return false
    }
  }

  private func report(_ claim: Claim, _ other: Claim) {
    let isLater = claim.port.span.range.lowerBound >= other.port.span.range.lowerBound
    let (first, second) = isLater ? (other, claim) : (claim, other)
    let shared = max(claim.range.lowerBound, other.range.lowerBound)
    let manner = first.service.name == second.service.name ? "twice" : "by \"\(first.service.name.value)\" too"
    diagnostics.add(
      Diagnostic(
        .hostPortConflict,
        "service \"\(second.service.name.value)\" publishes \(shared)/\(claim.port.transport.rawValue), which is published \(manner)",
        at: second.port.span, also: [Diagnostic.Label(first.port.span, "\(shared) is published here")],
        help: ["choose another host port, or leave it out for a free one"]))
  }
}
