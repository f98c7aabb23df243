import Addresses
import Intent
import Netfilter
import Rules
import Vocabulary

/// A question to the network with what the stack lets expect.
struct ReachProbe: Hashable, Sendable {
  var question: ReachQuestion
  var forecast: ReachForecast
  /// The way there hop by hop, for people who ask about one pair.
  var path: [String] = []
}

/// The predicted result of a probe, with its reason.
///
/// The reason names the place in the file. It is printed after `predicted no:`.
struct ReachForecast: Hashable, Sendable {
  var isAllowed: Bool
  var because: String
  /// The address that the packets are sent from; nil where none are.
  var sender: IPAddress?
  /// True if they come in from an address of the host.
  var isTranslated = false
  /// False where only sending packets tells.
  var isDecided = true
  /// True if a rule forbids the packets, rather than that they find no way.
  var isRuledOut = false
}

/// A cell of the matrix: a source, a destination, and the questions that it stands for.
package struct ReachCheck: Sendable {
  var source: ReachPeer
  var column: ReachColumn
  /// One for each family that both ends have. Never empty.
  var probes: [ReachProbe]

  var isPredicted: Bool { probes.contains { $0.forecast.isAllowed } }

  /// `web1 -> db:5432`
  var name: String { "\(source) -> \(column.label)" }
}

extension ReachCheck {
  /// With the way hop by hop to each address, by the routes that are in the namespaces now.
  package func traced(_ stack: DesiredStack, _ live: [LiveNamespace]) -> ReachCheck {
    let routing = LiveRouting(stack, live).routing
    let words = WayWords(stack, routing)
    var traced = self
    for place in probes.indices {
      let destination = probes[place].question.destination
      let ways = routing.ways(from: source, to: destination)
      var lines = ways.first.map { words.steps($0, to: destination) } ?? []
      if let sender = ways.first?.source, ways.first?.end == .arrived, let answerer = routing.owner(of: destination),
        let back = routing.ways(from: .service(answerer), to: sender).first, back.end != .arrived
      {
        lines += ["and back:"] + words.steps(back, to: sender)
      }
      traced.probes[place].path = lines
    }
    return traced
  }
}

/// The checks of a stack, from the stack alone: every service and the host against every port that somebody is said to
/// listen on or that a rule names. Pure.
package struct ReachMatrix {
  private let stack: DesiredStack
  let forecaster: ReachForecaster
  private let services: [String: DesiredService]
  private let networks: [String: DesiredNetwork]
  private let publications: [PublishedPort: [Firewall.Publication]]
  /// The next machine on the host's way out; nil where there is none.
  private let nextHop: IPAddress?

  package let rows: [ReachPeer]
  package let columns: [ReachColumn]
  /// The differences between the namespaces and the file, one line each.
  package let differences: [String]
  private let live: [String: LiveNamespace]?

  /// - Parameters:
  ///   - owners: the stacks whose networks this one has joined.
  ///   - live: what is in the services' namespaces now, to be predicted from; nil for the file's routes and addresses.
  ///   - extra: what to send to a service beside what the stack tells, by its name, or by `host` or `internet`.
  package init(
    _ stack: DesiredStack, nextHop: IPAddress?, tracking: BridgeTracking = BridgeTracking(),
    owners: [DesiredStack] = [], live: [LiveNamespace]? = nil, extra: [String: [Traffic]] = [:]
  ) {
    let routing = live.map { LiveRouting(stack, $0) }
    differences = routing?.differences ?? []
    self.live = live.map { Dictionary($0.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }) }
    self.stack = stack
    // Where a network without the host has that address too, a service that is asked for the internet would answer.
    let isAmbiguous = nextHop.map { hop in
      stack.networks.contains { network in !network.hasHost && network.subnets.contains { $0.contains(hop) } }
    }
    let nextHop = isAmbiguous == true ? nil : nextHop
    self.nextHop = nextHop
    forecaster = ReachForecaster(stack, tracking, owners: owners, routing: routing?.routing)
    let firewall = Firewall(stack)
    publications = Dictionary(grouping: firewall.publications(.ip) + firewall.publications(.ip6), by: \.port)
    networks = Dictionary(stack.networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    services = Dictionary(stack.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    // A service in another's network namespace has the same packets, so it gets no row of its own. A switch sends none.
    rows = stack.services.filter { $0.namespace == .own && $0.switching == nil }.map { .service($0.name) } + [.host]
    columns = Self.columns(of: stack, hasInternet: nextHop != nil, extra)
  }

  private static func columns(
    of stack: DesiredStack, hasInternet: Bool, _ extra: [String: [Traffic]]
  ) -> [ReachColumn] {
    var ports = ReachPorts(stack)
    var columns: [ReachColumn] = []
    let cables = stack.cableNames
    let sharers = Dictionary(grouping: stack.services.filter { $0.namespace != .own }) { $0.namespace }
    for service in stack.services where service.namespace == .own {
      let sharing = sharers[.service(service.name)] ?? []
      var known = service.declaredTraffic + sharing.flatMap(\.declaredTraffic) + ports.named(for: service)
      known += ([service] + sharing).flatMap { extra[$0.name] ?? [] }
      let traffic = known.isEmpty ? [.echo] : known.uniqued()
      let places =
        service.attachments.flatMap { attachment in
          ([attachment.accessVLAN] + attachment.subinterfaces.filter { $0.address != nil }.map(\.vlan)).map {
            ReachColumn.Target.service(service.name, network: attachment.network, vlan: $0)
          }
        }
        + (cables[service.name] ?? []).map { ReachColumn.Target.linked(service.name, to: $0.name, link: $0.link) }
        + (service.loopback.isEmpty ? [] : [.loopback(service.name)])
      columns += places.flatMap { place in
        traffic.map { ReachColumn(target: place, traffic: $0, namesNetwork: places.count > 1) }
      }
    }
    for service in stack.services {
      columns += service.ports.map {
        ReachColumn(target: .published($0, service: service.name), traffic: Traffic($0.target))
      }
    }
    for network in stack.networks where !network.hostAddresses.isEmpty {
      columns += ports.traffic(toHost: extra["host"] ?? []).map {
        ReachColumn(target: .host(network: network.name), traffic: $0, namesNetwork: stack.networks.count > 1)
      }
    }
    if hasInternet {
      columns += ports.traffic(toInternet: extra["internet"] ?? []).map {
        ReachColumn(target: .internet, traffic: $0)
      }
    }
    return columns
  }

  /// All cells, row by row: those without a meaning, such as a service and itself, are left out.
  ///
  /// - Parameter isMeant: which of them are worked out at all.
  func checks(where isMeant: (ReachPeer, ReachColumn) -> Bool = { _, _ in true }) -> [ReachCheck] {
    rows.flatMap { row in columns.compactMap { isMeant(row, $0) ? check(row, $0) : nil } }
  }

  func check(_ source: ReachPeer, _ column: ReachColumn) -> ReachCheck? {
    let probes =
      switch (source, column.target) {
      case (.service(let sender), .service(let receiver, _, _)) where sender == receiver: [ReachProbe]()
      case (.service(let sender), .linked(let receiver, _, _)) where sender == receiver: [ReachProbe]()
      case (.service(let sender), .loopback(let receiver)) where sender == receiver: [ReachProbe]()
      case (_, .service(let receiver, let network, let vlan)):
        direct(source, addresses(of: receiver, in: network, vlan), column.traffic, at: receiver)
      case (.service, .linked(let receiver, _, let link)):
        direct(source, addresses(of: receiver, on: link), column.traffic, at: receiver)
      case (_, .loopback(let receiver)):
        direct(source, services[receiver]?.loopback.map(\.address) ?? [], column.traffic, at: receiver)
      case (.service, .host(let network)):
        direct(source, networks[network]?.hostAddresses ?? [], column.traffic, at: ReachPeer.host.place)
      case (.service(let sender), .published(let port, let receiver)): toPublished(sender, port, receiver)
      case (.host, .published(let port, let receiver)): fromHostToPublished(port, receiver)
      case (.service, .internet):
        [nextHop].compactMap(\.self).compactMap { hop in
          forecaster.forecast(from: source, to: hop, column.traffic).map { forecast in
            ReachProbe(
              question: ReachQuestion(source: source.place, destination: hop, traffic: column.traffic),
              forecast: forecast)
          }
        }
      // Links have no end on the host.
      case (.host, .linked), (.host, .host), (.host, .internet): [ReachProbe]()
      }
    return probes.isEmpty ? nil : ReachCheck(source: source, column: column, probes: probes)
  }

  private func addresses(of service: String, in network: String, _ vlan: UInt16?) -> [IPAddress] {
    guard let attachment = services[service]?.attachments.first(where: { $0.network == network }) else { return [] }
    if let now = live?[service] {
      let inner = attachment.subinterfaces.first { $0.vlan == vlan }?.interface
      return LiveRouting.addresses(of: attachment.accessVLAN == vlan ? attachment.interface : inner ?? "", in: now)
    }
    if attachment.accessVLAN == vlan { return attachment.neighbourAddresses.filter { !$0.isLinkLocal6 } }
    return attachment.address(in: vlan).map { [.v4($0)] } ?? []
  }

  private func addresses(of service: String, on link: Int) -> [IPAddress] {
    let ends = stack.links[link].ends.filter { $0.service == service }
    guard let now = live?[service] else {
      return ends.flatMap(\.addresses).map(\.address).filter { !$0.isLinkLocal6 }
    }
    return ends.flatMap { LiveRouting.addresses(of: $0.interface, in: now) }
  }

  private func direct(
    _ source: ReachPeer, _ destinations: [IPAddress], _ traffic: Traffic, at place: String
  ) -> [ReachProbe] {
    destinations.compactMap { address in
      forecaster.forecast(from: source, to: address, traffic).map { forecast in
        ReachProbe(question: question(source, address, traffic, at: place, address, traffic.port), forecast: forecast)
      }
    }
  }

  /// By the host's address in a network of the service's own, unless the port is published on one address alone.
  private func toPublished(_ sender: String, _ port: PublishedPort, _ receiver: String) -> [ReachProbe] {
    publications(of: port, receiver).compactMap { publication in
      guard let address = publication.hostAddress ?? gateway(of: sender, likeThatOf: publication.address),
        // A loopback address is the service itself there.
        !address.isLoopback
      else { return nil }
      return published(publication, at: address, from: .service(sender), receiver)
    }
  }

  private func fromHostToPublished(_ port: PublishedPort, _ receiver: String) -> [ReachProbe] {
    publications(of: port, receiver).map { publication in
      let address = publication.hostAddress ?? publication.address.loopback
      return published(publication, at: address, from: .host, receiver)
    }
  }

  private func published(
    _ publication: Firewall.Publication, at address: IPAddress, from source: ReachPeer, _ receiver: String
  ) -> ReachProbe {
    let port = publication.port
    return ReachProbe(
      question: question(source, address, port.asked, at: receiver, publication.address, port.target.port),
      forecast: forecaster.forecast(from: source, to: publication, at: address))
  }

  private func publications(of port: PublishedPort, _ service: String) -> [Firewall.Publication] {
    let own = services[service]?.attachments.flatMap(\.addresses) ?? []
    return (publications[port] ?? []).filter { own.contains($0.address) }
  }

  /// The host's address of a family in the network that a service's way out goes through.
  private func gateway(of service: String, likeThatOf address: IPAddress) -> IPAddress? {
    let attachments = services[service]?.attachments ?? []
    let own = attachments.first { $0.leadsOut(for: address) } ?? attachments.first { !$0.isWithoutHost }
    return own.flatMap { networks[$0.network] }?.hostAddresses
      .first { $0.socketFamily == address.socketFamily }
  }

  private func question(
    _ source: ReachPeer, _ destination: IPAddress, _ traffic: Traffic, at place: String, _ arrival: IPAddress,
    _ port: UInt16
  ) -> ReachQuestion {
    ReachQuestion(
      source: source.place, destination: destination, traffic: traffic,
      arrival: ReachQuestion.Arrival(place: place, address: arrival, port: port))
  }
}

extension DesiredService {
  fileprivate var declaredTraffic: [Traffic] { (ports.map(\.target) + readyPorts + rangePorts).map(Traffic.init) }
}

extension DesiredAttachment {
  /// True if the default route of an address's family goes through it.
  func leadsOut(for address: IPAddress) -> Bool {
    switch address {
    case .v4: isDefaultRoute
    case .v6: ipv6?.isDefaultRoute ?? false
    }
  }
}

extension IPAddress {
  /// The one of its family.
  fileprivate var loopback: IPAddress {
    switch self {
    case .v4: .v4(.loopback)
    case .v6: .v6(.loopback)
    }
  }
}

extension PublishedPort {
  /// The traffic that is sent to the host.
  fileprivate var asked: Traffic { Traffic(ListeningPort(port: hostPort, transport: target.transport)) }
}
