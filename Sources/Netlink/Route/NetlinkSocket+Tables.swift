import Addresses
import CNetfilter
import Kernel
import SystemPackage

extension NetlinkSocket {
  /// The addresses of both families, of all links or of one.
  public mutating func addresses(on link: UInt32? = nil) throws(KernelError) -> [InterfaceAddress] {
    try dump("addresses") { writer in
      writer.begin(type: UInt16(RTM_GETADDR), flags: 0)
      writer.put(UInt32(0))
      writer.put(link ?? 0)
    } parse: {
      InterfaceAddress($0, $1)
    }
  }

  /// The routes of both families.
  ///
  /// - Parameters:
  ///   - table: The routing table; nil for all of them.
  ///   - link: Only routes by this link, by index.
  public mutating func routes(
    table: UInt32? = Route.mainTable, on link: UInt32? = nil
  ) throws(KernelError) -> [Route] {
    try routes(family: IPAddress.v4(.any).family, table: table, on: link)
      + routes(family: IPAddress.v6(.any).family, table: table, on: link)
  }

  private mutating func routes(family: UInt8, table: UInt32?, on link: UInt32?) throws(KernelError) -> [Route] {
    do {
      return try dump("routes") { writer in
        writer.begin(type: UInt16(RTM_GETROUTE), flags: 0)
        writer.put(family)
        writer.put(UInt8(0))
        writer.put(UInt16(0))
        writer.put(UInt32(0))
        writer.put(UInt32(0))
        if let table { writer.attribute(Int(RTA_TABLE.rawValue), table) }
        if let link { writer.attribute(Int(RTA_OIF.rawValue), link) }
      } parse: { header, payload in
        // Routes that the kernel learned from paths are listed too (RTM_F_CLONED). Nobody configured them.
        guard let flags = payload.integer(UInt32.self, at: 8), flags & UInt32(RTM_F_CLONED) == 0 else { return nil }
        return Route(header, payload)
      }
    } catch  where error.errno == .noSuchFileOrDirectory {
      // A family makes a table with its first route, and has none by that number until then.
      return []
    }
  }

  /// The link that a packet for an address leaves by, by index; nil where there is no way there.
  public mutating func link(towards address: IPAddress) throws(KernelError) -> UInt32? { try route(to: address)?.link }

  /// The route that a packet from here to an address takes (`ip route get`); nil where there is none.
  public mutating func route(to address: IPAddress) throws(KernelError) -> Route? {
    do {
      return try get(address.description) { writer in
        writer.begin(type: UInt16(RTM_GETROUTE), flags: 0)
        writer.put(address.family)
        // All bits of the address count.
        writer.put(UInt8(address.isV4 ? 32 : 128))
        writer.put(UInt16(0))
        writer.put(UInt32(0))
        writer.put(UInt32(0))
        writer.attribute(Int(RTA_DST.rawValue), address)
      } parse: {
        Route($0, $1)
      }
    } catch  where error.errno == .networkUnreachable || error.errno == .noRouteToHost {
      return nil
    }
  }

  /// The neighbour entries of both families, of all links or of one.
  public mutating func neighbours(on link: UInt32? = nil) throws(KernelError) -> [Neighbour] {
    try dump("neighbours") { writer in
      writer.begin(type: UInt16(RTM_GETNEIGH), flags: 0)
      for _ in 0..<3 { writer.put(UInt32(0)) }
      if let link { writer.attribute(Int(NDA_IFINDEX), link) }
    } parse: {
      Neighbour($0, $1)
    }
  }

  /// The forwarding entries of all bridges, without those of links that are no port of one.
  public mutating func forwardingEntries() throws(KernelError) -> [ForwardingEntry] {
    try dump("forwarding entries") { writer in
      writer.begin(type: UInt16(RTM_GETNEIGH), flags: 0)
      writer.put(bridgeFamily)
      writer.put(UInt8(0))
      writer.put(UInt16(0))
      for _ in 0..<2 { writer.put(UInt32(0)) }
    } parse: {
      ForwardingEntry($0, $1)
    }
  }
}

extension InterfaceAddress {
  /// Reads RTM_NEWADDR; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWADDR), let length = payload.integer(UInt8.self, at: 1),
      let link = payload.integer(UInt32.self, at: 4)
    else { return nil }
    var local: IPAddress?
    var address: IPAddress?
    var flags = UInt32(payload.integer(UInt8.self, at: 2) ?? 0)
    payload.forEachAttribute(from: 8) { type, value in
      switch type {
      case Int(IFA_LOCAL): local = value.ipAddress
      case Int(IFA_ADDRESS): address = value.ipAddress
      case Int(IFA_FLAGS): flags = value.integer(UInt32.self) ?? flags
      default: break
      }
    }
    // On a point-to-point link IFA_ADDRESS is the far end's.
    guard let own = local ?? address else { return nil }
    self.init(own, prefixLength: Int(length), on: link)
    skipsDuplicateDetection = flags & UInt32(IFA_F_NODAD) != 0
    makesNoRoute = flags & UInt32(IFA_F_NOPREFIXROUTE) != 0
    isLinkScoped = own.isV4 && payload.integer(UInt8.self, at: 3) == Self.linkScope
  }
}

extension Route {
  /// Reads RTM_NEWROUTE; nil if it is another message, cut, or of a family without addresses.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWROUTE), let family = payload.integer(UInt8.self),
      let length = payload.integer(UInt8.self, at: 1), let table = payload.integer(UInt8.self, at: 4),
      let origin = payload.integer(UInt8.self, at: 5), let kind = payload.integer(UInt8.self, at: 7),
      let flags = payload.integer(UInt32.self, at: 8)
    else { return nil }
    let unspecified: IPAddress
    switch family {
    case IPAddress.v4(.any).family: unspecified = .v4(.any)
    case IPAddress.v6(.any).family: unspecified = .v6(.any)
    default: return nil
    }
    var address = unspecified
    var found = (gateway: IPAddress?.none, link: UInt32?.none, source: IPAddress?.none, metric: UInt32?.none)
    var number = UInt32(table)
    var hops: [NextHop] = []
    payload.forEachAttribute(from: 12) { type, value in
      switch type {
      case Int(RTA_DST.rawValue): address = value.ipAddress ?? address
      case Int(RTA_GATEWAY.rawValue): found.gateway = value.ipAddress
      case Int(RTA_OIF.rawValue): found.link = value.integer(UInt32.self)
      case Int(RTA_PREFSRC.rawValue): found.source = value.ipAddress
      case Int(RTA_PRIORITY.rawValue): found.metric = value.integer(UInt32.self)
      case Int(RTA_TABLE.rawValue): number = value.integer(UInt32.self) ?? number
      case Int(RTA_VIA.rawValue): found.gateway = value.addressBehindFamily
      case Int(RTA_MULTIPATH.rawValue): hops = Self.nextHops(value)
      default: break
      }
    }
    guard let destination = IPPrefix(containing: address, length: Int(length)) else { return nil }
    self.init(to: destination)
    self.kind = Kind(rawValue: kind)
    self.table = number
    self.origin = origin
    gateway = found.gateway
    link = found.link
    source = found.source
    metric = found.metric
    nextHops = hops
    isOnLink = flags & UInt32(RTNH_F_ONLINK) != 0
  }
}

extension Route {
  /// Reads RTA_MULTIPATH: `struct rtnexthop` with attributes, one after the other.
  private static func nextHops(_ value: RawSpan) -> [NextHop] {
    var hops: [NextHop] = []
    var offset = 0
    while let length = value.integer(UInt16.self, at: offset).map({ Int($0) }), length >= 8,
      length <= value.byteCount - offset, let link = value.integer(UInt32.self, at: offset + 4)
    {
      var hop = NextHop(gateway: nil, link: link)
      value.extracting(offset..<offset + length).forEachAttribute(from: 8) { type, value in
        switch type {
        case Int(RTA_GATEWAY.rawValue): hop.gateway = value.ipAddress
        case Int(RTA_VIA.rawValue): hop.gateway = value.addressBehindFamily
        default: break
        }
      }
      hops.append(hop)
      offset += (length + 3) & ~3
    }
    return hops
  }
}

extension RawSpan {
  /// `struct rtvia`: two octets of family, then the address.
  fileprivate var addressBehindFamily: IPAddress? { byteCount > 2 ? extracting(2..<byteCount).ipAddress : nil }
}

extension Neighbour {
  /// Reads RTM_NEWNEIGH of an IP family; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWNEIGH), let link = payload.integer(UInt32.self, at: 4),
      let state = payload.integer(UInt16.self, at: 8)
    else { return nil }
    var address: IPAddress?
    var mac: MACAddress?
    payload.forEachAttribute(from: 12) { type, value in
      switch type {
      case Int(NDA_DST): address = value.ipAddress
      case Int(NDA_LLADDR): mac = value.macAddress
      default: break
      }
    }
    guard let address else { return nil }
    self.link = link
    self.address = address
    self.mac = mac
    self.state = state
  }
}

extension ForwardingEntry {
  /// Reads RTM_NEWNEIGH of a bridge's port; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWNEIGH), let port = payload.integer(UInt32.self, at: 4),
      let state = payload.integer(UInt16.self, at: 8), let flags = payload.integer(UInt8.self, at: 10)
    else { return nil }
    var (mac, bridge, vlan) = (MACAddress?.none, UInt32?.none, UInt16?.none)
    payload.forEachAttribute(from: 12) { type, value in
      switch type {
      case Int(NDA_LLADDR): mac = value.macAddress
      case Int(NDA_MASTER): bridge = value.integer(UInt32.self)
      case Int(NDA_VLAN): vlan = value.integer(UInt16.self)
      default: break
      }
    }
    guard let mac, let bridge else { return nil }
    self.init(mac, behind: port)
    (self.bridge, self.vlan) = (bridge, vlan)
    isSticky = flags & UInt8(NTF_STICKY) != 0
    isLearned = state & UInt16(NUD_NOARP | NUD_PERMANENT) == 0
  }
}
