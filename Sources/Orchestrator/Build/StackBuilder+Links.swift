import Addresses
import Glibc
import Host
import Intent
import Kernel
import Netlink
import SystemPackage
import Vocabulary

extension StackBuilder {
  /// Makes a link between two services. One that is there with both its ends keeps them, and gets what it lacks.
  func connect(_ link: DesiredLink, in desired: DesiredStack) throws(KernelError) {
    if let hostLink = link.hostLink { return try plug(link, into: hostLink) }
    let (first, second) = (try namespace(of: link.first.service), try namespace(of: link.second.service))
    var near = try NetlinkSocket(.route, in: first.descriptor)
    var far = try NetlinkSocket(.route, in: second.descriptor)
    let alias = link.alias(in: stack)
    let found = (try near.link(named: link.first.interface), try far.link(named: link.second.interface))
    if found.0?.alias != alias || found.1?.alias != alias {
      // An end whose other one was lost, or is just being lost with its namespace.
      var batch = RouteBatch()
      if let stale = found.0, stale.alias == alias { batch.delete(.index(stale.index), tolerating: .gone) }
      try near.apply(batch)
      batch.removeAll()
      if let stale = found.1, stale.alias == alias { batch.delete(.index(stale.index), tolerating: .gone) }
      try far.apply(batch)
      try makePair(link, &near, &far, second)
    }
    try setUp(link.first, of: link, isUp: !link.isSetDown, &near, first)
    try setUp(link.second, of: link, isUp: true, &far, second)
    let isPlain = link.currentConditions.isClear && !link.isSetDown && !desired.isCut(link)
    if !isPlain { try shape(link, in: desired) }
  }

  /// Ends with numbers of their own. The kernel takes a device whose peer has the same number for one that stands on nothing
  /// else, and settles whether it has a carrier up to a second late (linkwatch_urgent_event in net/core/link_watch.c).
  private func makePair(
    _ link: DesiredLink, _ near: inout NetlinkSocket, _ far: inout NetlinkSocket, _ second: SharedNamespace
  ) throws(KernelError) {
    for attempt in 1... {
      var pair = VethPair(
        near: VethPair.End(link.first.interface), peer: VethPair.End(link.second.interface),
        in: second.descriptor.fileDescriptor)
      (pair.near.mac, pair.near.mtu) = (link.first.mac, link.mtu)
      (pair.peer.mac, pair.peer.mtu) = (link.second.mac, link.mtu)
      let number = try near.links().map(\.index).max().map { $0 + 1 } ?? 2
      let other = try far.links().map(\.index).max().map { $0 + 1 } ?? 2
      (pair.near.index, pair.peer.index) = (number, other == number ? other + 1 : other)
      var batch = RouteBatch()
      batch.create(pair)
      do throws(KernelError) {
        return try near.apply(batch)
      } catch  where error.errno == .resourceBusy && attempt < 5 {
        // A program inside has just made an interface of that number.
        continue
      }
    }
  }

  func setUp(
    _ end: DesiredLink.End, of desired: DesiredLink, isUp: Bool, _ socket: inout NetlinkSocket,
    _ namespace: SharedNamespace
  ) throws(KernelError) {
    guard let link = try socket.link(named: end.interface)?.index else {
      throw KernelError("find link", "\(end.interface) in \(end.service)", errno: Errno(rawValue: ENODEV))
    }
    if desired.hasIPv6(at: end) { try switchIPv6On(at: end.interface, in: namespace) }
    var batch = RouteBatch()
    var naming = LinkChange(.index(link))
    naming.alias = desired.alias(in: stack)
    if let bridge = end.bridge {
      guard let master = try socket.link(named: bridge)?.index else {
        throw KernelError("find bridge", "\(bridge) in \(end.service)", errno: Errno(rawValue: ENODEV))
      }
      naming.master = master
    }
    batch.change(naming)
    for address in desired.everyAddress(of: end) {
      batch.add(address.interfaceAddress(on: link), tolerating: .existing)
    }
    if isUp {
      var up = LinkChange(.index(link))
      up.isUp = true
      batch.change(up)
    }
    if isUp, desired.hostLink == nil {
      // The ends know each other in advance. For IPv6, only a link-local address would let the kernel ask on behalf of others
      // (ndisc_send_ns in net/ipv6/ndisc.c). Permanent entries do not count towards the limit that all namespaces share.
      let other = desired.first == end ? desired.second : desired.first
      for neighbour in desired.everyAddress(of: other) where neighbour.address.isV4 || desired.hasIPv6(at: end) {
        batch.set(Neighbour(neighbour.address, at: other.mac, on: link))
      }
    }
    try socket.apply(batch)
  }

  /// A cable that is set down has its first end down, and so its second end has no carrier, like that of a cable which is pulled
  /// out. Set up again, both have what they lost: a link that goes down takes addresses of IPv6, neighbours and routes along.
  func setCarrier(of link: DesiredLink, in desired: DesiredStack) throws(KernelError) {
    let first = try namespace(of: link.first.service)
    var near = try NetlinkSocket(.route, in: first.descriptor)
    guard let end = try near.link(named: link.first.interface), end.isUp == link.isSetDown else { return }
    guard !link.isSetDown else {
      var down = LinkChange(.index(end.index))
      down.isUp = false
      var batch = RouteBatch()
      batch.change(down)
      return try near.apply(batch)
    }
    try setUp(link.first, of: link, isUp: true, &near, first)
    if link.hostLink == nil {
      let second = try namespace(of: link.second.service)
      var far = try NetlinkSocket(.route, in: second.descriptor)
      try setUp(link.second, of: link, isUp: true, &far, second)
    }
    for end in link.serviceEnds {
      if let service = desired.service(named: end.service) { try setRoutes(of: service) }
    }
  }

  /// Removes a link, at whichever end is still there: the other one goes along.
  func disconnect(_ link: DesiredLink) throws(KernelError) {
    defer { if let hostLink = link.hostLink { try? release(hostLink) } }
    for end in link.serviceEnds {
      let namespace: SharedNamespace
      do {
        namespace = try self.namespace(of: end.service)
      } catch  where error.errno == .noSuchFileOrDirectory {
        continue
      }
      var socket = try NetlinkSocket(.route, in: namespace.descriptor)
      guard let found = try socket.link(named: end.interface), found.alias == link.alias(in: stack) else { continue }
      var batch = RouteBatch()
      batch.delete(.index(found.index), tolerating: .gone)
      try socket.apply(batch)
    }
  }

  // MARK: Routes

  /// Removes routes that a service is no longer to have and adds those that it lacks. Routes of others, such as those that
  /// the service itself has made, stay.
  func setRoutes(of service: DesiredService) throws(KernelError) {
    let namespace = try namespace(of: service.name)
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    let present = try socket.routes().filter { $0.origin == DesiredRoute.origin }
    let links = Dictionary(keepingFirst: try socket.links().map { ($0.name, $0.index) })
    var batch = RouteBatch()
    for route in present where !service.routes.contains(where: { $0.describes(route, links) }) {
      batch.delete(route, tolerating: .gone)
    }
    for route in service.routes where !present.contains(where: { route.describes($0, links) }) {
      batch.add(route.route(links))
    }
    try socket.apply(batch)
  }
}

extension DesiredRoute {
  /// - Parameter links: the indices of the service's interfaces, by name.
  fileprivate func route(_ links: [String: UInt32]) -> Route {
    var route = Route(to: destination)
    route.origin = Self.origin
    let hops = hops.map { hop in
      Route.NextHop(gateway: hop.gateway, link: hop.interface.flatMap { links[$0] } ?? 0)
    }
    switch hops.count {
    case 0: route.kind = .blackhole
    case 1: (route.gateway, route.link) = (hops[0].gateway, hops[0].link == 0 ? nil : hops[0].link)
    default: route.nextHops = hops
    }
    return route
  }

  fileprivate func describes(_ route: Route, _ links: [String: UInt32]) -> Bool {
    guard route.destination == destination, (route.kind == .blackhole) == hops.isEmpty else { return false }
    let present =
      route.nextHops.isEmpty
      ? route.gateway.map { [Route.NextHop(gateway: $0, link: route.link ?? 0)] } ?? [] : route.nextHops
    return present.count == hops.count
      && hops.allSatisfy { hop in
        present.contains { found in
          found.gateway == hop.gateway && hop.interface.map { links[$0] == found.link } ?? true
        }
      }
  }
}
