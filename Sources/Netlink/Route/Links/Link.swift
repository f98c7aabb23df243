import Addresses
import CNetfilter
import Kernel

/// A network link as the kernel lists it (ip-link(8)).
public struct Link: Hashable, Sendable {
  /// Its number in its namespace (ifindex).
  public var index: UInt32
  public var name: String
  /// The driver that made it: `bridge`, `veth`; nil for hardware and loopback.
  public var kind: String?
  public var alias: String?
  /// The device group; 0 unless set.
  public var group: UInt32 = 0
  /// The bridge it is a port of, by index.
  public var master: UInt32?
  /// Of a bridge's port, what the bridge does with frames there: 3 is forwarding, 4 blocking (BR_STATE_* in linux/if_bridge.h).
  public var portState: UInt8?
  /// Of a VLAN interface, the tag of its frames. Its `peer` is the link that they pass.
  public var vlan: UInt16?
  /// The other end of a veth, by its index in its own namespace.
  public var peer: UInt32?
  /// The number that this namespace knows the peer's namespace by; nil if the peer is in this one.
  public var peerNamespaceID: Int32?
  public var mtu: UInt32 = 0
  public var mac: MACAddress?
  /// IFF_* (netdevice(7)).
  public var flags: UInt32
  /// The number of those who want frames to all multicast groups from it; nil on kernels before 6.0, which do not tell.
  public var allMulticast: UInt32?
  /// RFC 2863: 6 is up, 2 down, 7 down because of a lower layer, 0 unknown.
  public var operationalState: UInt8 = 0
  public var traffic: Traffic?

  /// The counters of a link since it was made.
  public struct Traffic: Hashable, Sendable {
    public var receivedPackets: UInt64
    public var sentPackets: UInt64
    public var receivedOctets: UInt64
    public var sentOctets: UInt64
  }

  /// True if it is set up, which says nothing of a carrier.
  public var isUp: Bool { flags & interfaceUp != 0 }
  /// True if frames pass: set up, and there is a carrier.
  public var isRunning: Bool { flags & 0x40 != 0 }
}

/// The links that are listed.
public struct LinkFilter: Hashable, Sendable {
  /// Only ports of this bridge, by index.
  public var master: UInt32?
  /// Only links of this kind: `bridge`, `veth`.
  public var kind: String?
  /// Only links of this device group. The kernel has no filter for it: it is applied to what it lists.
  public var group: UInt32?

  public init(master: UInt32? = nil, kind: String? = nil, group: UInt32? = nil) {
    self.master = master
    self.kind = kind
    self.group = group
  }
}

extension NetlinkSocket {
  /// The links of the socket's namespace.
  public mutating func links(_ filter: LinkFilter = LinkFilter()) throws(KernelError) -> [Link] {
    try dump("links") { writer in
      writer.begin(type: UInt16(RTM_GETLINK), flags: 0)
      writer.putLinkHeader()
      // It leaves out the IPv6 and ICMPv6 counters, half of the answer; the link's own stay.
      writer.attribute(Int(IFLA_EXT_MASK), UInt32(RTEXT_FILTER_SKIP_STATS))
      if let master = filter.master { writer.attribute(Int(IFLA_MASTER), master) }
      if let kind = filter.kind {
        writer.nest(Int(IFLA_LINKINFO)) { $0.attribute(Int(IFLA_INFO_KIND), kind) }
      }
    } parse: { header, payload in
      guard let link = Link(header, payload) else { return nil }
      return filter.group == nil || filter.group == link.group ? link : nil
    }
  }

  /// The link of a name, or nil if there is none.
  public mutating func link(named name: String) throws(KernelError) -> Link? {
    try get(name) { writer in
      writer.begin(type: UInt16(RTM_GETLINK), flags: 0)
      writer.putLinkHeader()
      writer.attribute(Int(IFLA_EXT_MASK), UInt32(RTEXT_FILTER_SKIP_STATS))
      writer.attribute(Int(IFLA_IFNAME), name)
    } parse: {
      Link($0, $1)
    }
  }
}

extension Link {
  /// Reads RTM_NEWLINK; nil if it is another message or cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(RTM_NEWLINK), let index = payload.integer(UInt32.self, at: 4),
      let flags = payload.integer(UInt32.self, at: 8)
    else { return nil }
    var link = Link(index: index, name: "", flags: flags)
    var named = false
    payload.forEachAttribute(from: 16) { type, value in
      switch type {
      case Int(IFLA_IFNAME):
        link.name = value.text
        named = true
      case Int(IFLA_IFALIAS): link.alias = value.text
      case Int(IFLA_GROUP): link.group = value.integer(UInt32.self) ?? 0
      case Int(IFLA_MASTER): link.master = value.integer(UInt32.self)
      case Int(IFLA_LINK): link.peer = value.integer(UInt32.self)
      case Int(IFLA_LINK_NETNSID): link.peerNamespaceID = value.integer(Int32.self)
      case Int(IFLA_ALLMULTI): link.allMulticast = value.integer(UInt32.self)
      case Int(IFLA_MTU): link.mtu = value.integer(UInt32.self) ?? 0
      case Int(IFLA_ADDRESS): link.mac = value.macAddress
      case Int(IFLA_OPERSTATE): link.operationalState = value.integer(UInt8.self) ?? 0
      case Int(IFLA_STATS64): link.traffic = Traffic(value)
      case Int(IFLA_LINKINFO):
        link.readInfo(value)
      default: break
      }
    }
    guard named else { return nil }
    self = link
  }
}

extension Link {
  /// Reads IFLA_LINKINFO.
  fileprivate mutating func readInfo(_ info: RawSpan) {
    info.forEachAttribute { type, value in
      switch type {
      case Int(IFLA_INFO_KIND): kind = value.text
      case Int(IFLA_INFO_DATA) where kind == "vlan":
        value.forEachAttribute { type, value in
          if type == Int(IFLA_VLAN_ID) { vlan = value.integer(UInt16.self) }
        }
      case Int(IFLA_INFO_SLAVE_DATA):
        value.forEachAttribute { type, value in
          if type == Int(IFLA_BRPORT_STATE), value.byteCount == 1 { portState = value.integer(UInt8.self) }
        }
      default: break
      }
    }
  }
}

extension Link.Traffic {
  /// Reads the head of `struct rtnl_link_stats64`.
  fileprivate init?(_ value: RawSpan) {
    guard let receivedPackets = value.integer(UInt64.self), let sentPackets = value.integer(UInt64.self, at: 8),
      let receivedOctets = value.integer(UInt64.self, at: 16), let sentOctets = value.integer(UInt64.self, at: 24)
    else { return nil }
    self.init(
      receivedPackets: receivedPackets, sentPackets: sentPackets, receivedOctets: receivedOctets,
      sentOctets: sentOctets)
  }
}
