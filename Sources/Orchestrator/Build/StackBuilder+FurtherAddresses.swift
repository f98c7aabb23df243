import Addresses
import Host
import Intent
import Kernel
import Netlink
import SystemPackage

/// Addresses that a service has beside those of its networks and links. Their hardware address does not follow from them, so
/// neighbours are told whenever one comes or goes.
extension StackBuilder {
  /// LOOPBACK_IFINDEX of net/flow.h: the loopback is each namespace's first link.
  static let loopbackIndex: UInt32 = 1

  func addLoopbackAddresses(of service: DesiredService) throws(KernelError) {
    guard !service.loopback.isEmpty else { return }
    let namespace = try namespace(of: service.name)
    // The service may have been made before it had any IPv6.
    if service.loopback.contains(where: { !$0.address.isV4 }) {
      try switchIPv6On(at: FurtherAddress.loopback, in: namespace)
    }
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    for address in service.loopback {
      batch.add(address.interfaceAddress(on: Self.loopbackIndex), tolerating: .existing)
    }
    try inner.apply(batch)
  }

  func addAddresses(of service: DesiredService, in desired: DesiredStack) throws(KernelError) {
    try addLoopbackAddresses(of: service)
    let namespace = try namespace(of: service.name)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var (batch, outer) = (RouteBatch(), RouteBatch())
    for attachment in service.attachments where !attachment.furtherAddresses.isEmpty {
      guard let link = try inner.link(named: attachment.interface)?.index else { continue }
      for address in attachment.furtherAddresses {
        batch.add(address.interfaceAddress(on: link), tolerating: .existing)
      }
      guard let bridge = try bridgeOfNeighbours(attachment, in: desired) else { continue }
      for address in attachment.knownToBridge { outer.set(Neighbour(address, at: attachment.mac, on: bridge)) }
    }
    try inner.apply(batch)
    var host = try NetlinkSocket(.route)
    try host.apply(outer)
    try introduce(service, in: desired)
  }

  /// - Parameters:
  ///   - service: as it was.
  ///   - desired: as it was.
  func remove(
    _ addresses: [FurtherAddress], of service: DesiredService, in desired: DesiredStack
  ) throws(KernelError) {
    let namespace = try namespace(of: service.name)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var (batch, outer) = (RouteBatch(), RouteBatch())
    for own in addresses {
      if let link = try inner.link(named: own.interface)?.index {
        batch.delete(own.address.interfaceAddress(on: link), tolerating: .gone)
      }
      guard let attachment = service.attachments.first(where: { $0.network == own.network }),
        attachment.knownToBridge.contains(own.address.address),
        let bridge = try bridgeOfNeighbours(attachment, in: desired)
      else { continue }
      outer.delete(Neighbour(own.address.address, at: attachment.mac, on: bridge), tolerating: .gone)
    }
    try inner.apply(batch)
    var host = try NetlinkSocket(.route)
    try host.apply(outer)
    try tellNeighbours(of: service, in: desired) { batch, attachment, _, link in
      for own in addresses where own.network == attachment.network {
        batch.delete(Neighbour(own.address.address, at: attachment.mac, on: link), tolerating: .gone)
      }
    }
  }

  /// Tells services that run whose hardware address a further address has. Another may have had it before.
  func introduce(_ service: DesiredService, in desired: DesiredStack) throws(KernelError) {
    try tellNeighbours(of: service, in: desired) { batch, attachment, own, link in
      let known = Set(desired.knownNeighbours(of: own).map(\.address))
      for address in attachment.furtherAddresses.map(\.address) {
        let neighbour = Neighbour(address, at: attachment.mac, on: link)
        if known.contains(address) { batch.set(neighbour) } else { batch.delete(neighbour, tolerating: .gone) }
      }
    }
  }

  /// The bridge of a network that knows the service's hardware address.
  private func bridgeOfNeighbours(
    _ attachment: DesiredAttachment, in desired: DesiredStack
  ) throws(KernelError) -> UInt32? {
    guard !attachment.knownToBridge.isEmpty, let network = desired.network(named: attachment.network) else {
      return nil
    }
    return try linkIndex(network.bridge)
  }

  /// Changes the neighbour tables of the services that a service shares networks with. One that is not attached yet learns of it
  /// when it is.
  ///
  /// - Parameter change: is given the service's attachment, the other's, and the other's link.
  func tellNeighbours(
    of service: DesiredService, in desired: DesiredStack,
    _ change: (inout RouteBatch, DesiredAttachment, DesiredAttachment, UInt32) -> Void
  ) throws(KernelError) {
    for attachment in service.attachments where attachment.parent == nil {
      for other in desired.services where other.name != service.name {
        guard let own = other.attachments.first(where: { $0.network == attachment.network }) else { continue }
        let namespace: SharedNamespace
        do {
          namespace = try self.namespace(of: other.name)
        } catch  where error.errno == .noSuchFileOrDirectory {
          continue
        }
        var socket = try NetlinkSocket(.route, in: namespace.descriptor)
        guard let link = try socket.link(named: own.interface)?.index else { continue }
        var batch = RouteBatch()
        change(&batch, attachment, own, link)
        try socket.apply(batch)
      }
    }
  }
}

extension DesiredAddress {
  func interfaceAddress(on link: UInt32) -> InterfaceAddress {
    var own = InterfaceAddress(address, prefixLength: length, on: link)
    own.skipsDuplicateDetection = !address.isV4
    own.isLinkScoped = isLinkScoped
    return own
  }
}
