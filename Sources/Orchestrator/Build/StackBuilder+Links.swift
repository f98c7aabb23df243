import Addresses
import Glibc
import Host
import Intent
import Kernel
import Netlink
import SystemPackage
import Vocabulary

extension StackBuilder {
  /// Makes a link between two services. One that is there with both its ends is left as it is.
  func connect(_ link: DesiredLink, in desired: DesiredStack) throws(KernelError) {
    let (first, second) = (try namespace(of: link.first.service), try namespace(of: link.second.service))
    var near = try NetlinkSocket(.route, in: first.descriptor)
    var far = try NetlinkSocket(.route, in: second.descriptor)
    let alias = link.alias(in: stack)
    let found = (try near.link(named: link.first.interface), try far.link(named: link.second.interface))
    if found.0?.alias == alias, found.1?.alias == alias, found.0?.isUp == true, found.1?.isUp == true { return }

    // An end whose other one was lost, or is just being lost with its namespace.
    var batch = RouteBatch()
    if let stale = found.0, stale.alias == alias { batch.delete(.index(stale.index), tolerating: .gone) }
    try near.apply(batch)
    batch.removeAll()
    if let stale = found.1, stale.alias == alias { batch.delete(.index(stale.index), tolerating: .gone) }
    try far.apply(batch)

    batch.removeAll()
    var pair = VethPair(
      near: VethPair.End(link.first.interface), peer: VethPair.End(link.second.interface),
      in: second.descriptor.fileDescriptor)
    (pair.near.mac, pair.near.mtu) = (link.first.mac, link.mtu)
    (pair.peer.mac, pair.peer.mtu) = (link.second.mac, link.mtu)
    batch.create(pair)
    try near.apply(batch)
    try setUp(link.first, beside: link.second, alias, &near)
    try setUp(link.second, beside: link.first, alias, &far)
    let isPlain = link.currentConditions.isClear && !link.isSetDown && !desired.isCut(link)
    if !isPlain { try shape(link, in: desired) }
  }

  private func setUp(
    _ end: DesiredLink.End, beside other: DesiredLink.End, _ alias: String, _ socket: inout NetlinkSocket
  ) throws(KernelError) {
    guard let link = try socket.link(named: end.interface)?.index else {
      throw KernelError("find link", "\(end.interface) in \(end.service)", errno: Errno(rawValue: ENODEV))
    }
    var batch = RouteBatch()
    var naming = LinkChange(.index(link))
    naming.alias = alias
    batch.change(naming)
    for address in end.addresses {
      var own = InterfaceAddress(address.address, prefixLength: address.length, on: link)
      own.skipsDuplicateDetection = !address.address.isV4
      batch.add(own)
    }
    var up = LinkChange(.index(link))
    up.isUp = true
    batch.change(up)
    // A router has no link-local address here, by which the kernel asks for the neighbours of packets of others (ndisc_send_ns in
    // net/ipv6/ndisc.c). And what is known does not count towards the limit that all namespaces share.
    for neighbour in other.addresses {
      batch.set(Neighbour(neighbour.address, at: other.mac, on: link))
    }
    try socket.apply(batch)
  }

  /// Removes a link, at whichever end is still there: the other one goes along.
  func disconnect(_ link: DesiredLink) throws(KernelError) {
    for end in link.ends {
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
    var batch = RouteBatch()
    for route in present where !service.routes.contains(where: { $0.describes(route) }) {
      batch.delete(route, tolerating: .gone)
    }
    for route in service.routes where !present.contains(where: { route.describes($0) }) { batch.add(route.route) }
    try socket.apply(batch)
  }
}

extension DesiredRoute {

  fileprivate var route: Route {
    var route = Route(to: destination)
    route.gateway = gateway
    if gateway == nil { route.kind = .blackhole }
    route.origin = Self.origin
    return route
  }

  fileprivate func describes(_ route: Route) -> Bool {
    route.destination == destination && route.gateway == gateway && (route.kind == .blackhole) == (gateway == nil)
  }
}
