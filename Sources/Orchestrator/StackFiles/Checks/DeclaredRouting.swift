import Addresses

/// The routes of a file in a form to be asked often: who has an address, what a service is on, and whom it hands packets to.
/// Services have numbers, in the order of the file.
struct DeclaredRouting {
  typealias Destination = StackFile.Route.Destination

  /// A service, and the place of one of its routes.
  struct Step: Hashable {
    var service: Int
    var route: Int
  }

  private let stack: StackFile
  private let services: [StackFile.Service]
  private let numbers: [String: Int]
  private let owners: [IPAddress: Int]
  /// The places of each service's links.
  private let links: [[Int]]
  /// The subnets of each service's interfaces, as far as the file tells.
  private let prefixes: [[IPPrefix]]
  private let tables: [Table]

  init(_ stack: StackFile) {
    self.stack = stack
    let services = Array(stack.services)
    let numbers = Dictionary(
      services.indices.map { (services[$0].name.value, $0) }, uniquingKeysWith: { first, _ in first })
    var owners: [IPAddress: Int] = [:]
    var links = [[Int]](repeating: [], count: services.count)
    var prefixes = services.map { service in
      service.attachments.compactMap { stack.networks[$0.network.value] }.flatMap(\.declaredSubnets)
        + (service.attachments.flatMap(\.furtherAddresses) + service.loopback).compactMap(\.value.network)
    }
    for (index, link) in stack.links.enumerated() {
      for number in Set(link.ends.compactMap { numbers[$0.service.value] }) { links[number].append(index) }
      for end in link.ends {
        guard let number = numbers[end.service.value] else { continue }
        prefixes[number] += end.addresses.compactMap(\.value.network)
        for address in end.addresses where owners[address.value.address] == nil {
          owners[address.value.address] = number
        }
      }
    }
    for (number, service) in services.enumerated() {
      for attachment in service.attachments {
        let addresses = [attachment.address.map { .v4($0.value) }, attachment.address6.map { IPAddress.v6($0.value) }]
        let further = attachment.furtherAddresses.map(\.value.address)
        for address in addresses.compactMap(\.self) + further where owners[address] == nil { owners[address] = number }
      }
    }
    self.services = services
    self.numbers = numbers
    self.owners = owners
    self.links = links
    self.prefixes = prefixes
    tables = services.map { Table($0.routes, in: stack) }
  }

  func links(of service: StackFile.Service) -> [Int] {
    numbers[service.name.value].map { links[$0] } ?? []
  }

  func service(_ step: Step) -> StackFile.Service { services[step.service] }
  func route(_ step: Step) -> StackFile.Route { services[step.service].routes[step.route] }

  // MARK: - Circles

  /// The circles that packets to a destination of the file go round in, in the order of the services and routes that they
  /// begin with.
  func circles() -> [[Step]] {
    var starts: [Destination: [Step]] = [:]
    for service in services.indices where forwards(service) {
      for (route, wanted) in services[service].routes.enumerated() {
        starts[wanted.destination.value, default: []].append(Step(service: service, route: route))
      }
    }
    var search = CircleSearch(count: services.count)
    let found = starts.flatMap { destination, steps in
      search.circles(from: steps, isOn: { isOn(destination, $0) }, next: { next($0, to: destination) })
    }
    return found.sorted { ($0[0].service, $0[0].route) < ($1[0].service, $1[0].route) }
  }

  /// The router that a route goes by way of, and the route by which that one passes packets to a destination on; nil in place
  /// of the route where it has none, and nil for both where no router is known.
  private func next(_ step: Step, to destination: Destination) -> (router: Int, onward: Step?)? {
    let hops = services[step.service].routes[step.route].hops
    // Of several, the kernel chooses.
    guard hops.count == 1 else { return nil }
    let router: Int? =
      switch hops[0].value {
      case .blackhole, .address(_, interface: _?): nil
      case .service(let name): numbers[name]
      case .address(let address, nil): owners[address]
      }
    guard let router, forwards(router) else { return nil }
    return (router, tables[router].place(for: destination, in: stack).map { Step(service: router, route: $0) })
  }

  private func forwards(_ service: Int) -> Bool { services[service].forwarding?.value == true }

  private func isOn(_ destination: Destination, _ service: Int) -> Bool {
    switch destination {
    case .everywhere: return false
    case .network(let name): return services[service].attachments.contains { $0.network.value == name }
    case .prefix(let prefix): return prefix.length > 0 && prefixes[service].contains { $0.overlaps(prefix) }
    }
  }

  /// The routes of a service, by what they lead to.
  private struct Table {
    private var exact: [Destination: Int] = [:]
    private var places: [IPPrefix: Int] = [:]
    /// Of the prefixes, the longest first.
    private var lengths: [Int] = []
    private var everywhere: Int?

    init(_ routes: [StackFile.Route], in stack: StackFile) {
      for (place, route) in routes.enumerated() {
        let destination = route.destination.value
        guard exact.updateValue(exact[destination] ?? place, forKey: destination) == nil else { continue }
        if destination == .everywhere { everywhere = place }
        for prefix in destination.prefixes(in: stack) where places[prefix] == nil { places[prefix] = place }
      }
      lengths = Set(places.keys.map(\.length)).sorted(by: >)
    }

    /// The route that a packet to a destination takes: the longest that covers it.
    func place(for destination: Destination, in stack: StackFile) -> Int? {
      if let place = exact[destination] { return place }
      let wanted = destination.prefixes(in: stack)
      for length in lengths {
        for prefix in wanted where length <= prefix.length {
          if let place = IPPrefix(containing: prefix.network, length: length).flatMap({ places[$0] }) { return place }
        }
      }
      return everywhere
    }
  }
}

/// Finds circles among services that hand packets to one other each. Each service is looked at once for a destination.
private struct CircleSearch {
  typealias Step = DeclaredRouting.Step

  /// The last walk that came by each service.
  private var walks: [Int]
  private var walk = 0

  init(count: Int) { walks = [Int](repeating: 0, count: count) }

  /// - Parameters:
  ///   - starts: the services that name the destination, in the order of the file. Each circle begins with the first of them.
  ///   - isOn: true of a service that is on the destination's network, where ways end.
  ///   - next: the router after a service, and its own route onward.
  mutating func circles(
    from starts: [Step], isOn: (Int) -> Bool, next: (Step) -> (router: Int, onward: Step?)?
  ) -> [[Step]] {
    let before = walk
    var found: [[Step]] = []
    var members: Set<Step> = []
    for start in starts {
      // Ways end at a service that is on the network, so what is known of others does not count for its own route.
      let isAlone = isOn(start.service)
      guard isAlone || walks[start.service] <= before else { continue }
      walk += 1
      walks[start.service] = walk
      var path = [start]
      while let last = path.last, let (router, onward) = next(last) {
        if walks[router] == walk {
          let circle = path.drop { $0.service != router }
          if !circle.contains(where: members.contains), let turned = Self.turned(Array(circle), starts) {
            members.formUnion(turned)
            found.append(turned)
          }
          break
        }
        guard let onward, !isOn(router), isAlone || walks[router] <= before else { break }
        walks[router] = walk
        path.append(onward)
      }
    }
    return found
  }

  /// A circle from the first of its services that names the destination; nil where none does, as another destination has it.
  private static func turned(_ circle: [Step], _ starts: [Step]) -> [Step]? {
    let places = Dictionary(circle.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return starts.lazy.compactMap { places[$0] }.first.map { Array(circle[$0...] + circle[..<$0]) }
  }
}

extension StackFile.Route.Destination {
  /// Those that it stands for; none for `default`.
  fileprivate func prefixes(in stack: StackFile) -> [IPPrefix] {
    switch self {
    case .prefix(let prefix): [prefix]
    case .network(let name): stack.networks[name]?.declaredSubnets ?? []
    case .everywhere: []
    }
  }
}

extension StackFile.Network {
  fileprivate var declaredSubnets: [IPPrefix] {
    [subnet.map { .v4($0.value) }, subnet6.map { .v6($0.value) }].compactMap(\.self)
  }
}
