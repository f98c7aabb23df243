import Addresses
import CNetfilter
import SystemPackage

/// An interface with a hardware address of its own on another link (ip-link(8), `type macvlan`), to be made at once in
/// another namespace. Those of one link reach each other and what the link leads to, and not the link's own host.
public struct Macvlan: Hashable, Sendable {
  /// At most 15 octets.
  public var name: String
  /// The link that it is on, by its index in the socket's namespace.
  public var parent: UInt32
  public var mac: MACAddress?
  public var mtu: UInt32?
  /// The kernel's modes that are used here (ip-link(8)).
  public enum Mode: Hashable, Sendable {
    /// Interfaces of one link reach each other.
    case bridge
    /// The link's only one. It has the link's hardware address and takes all frames.
    case passthru
  }
  public var mode = Mode.bridge
  /// It must stay open until the batch has been applied.
  public var namespace: FileDescriptor

  public init(_ name: String, on parent: UInt32, in namespace: FileDescriptor) {
    self.name = name
    self.parent = parent
    self.namespace = namespace
  }
}

/// An interface for one VLAN of another (ip-link(8), `type vlan`): what it sends carries the tag (IEEE 802.1Q).
public struct VLANInterface: Hashable, Sendable {
  /// At most 15 octets.
  public var name: String
  /// The link that carries the tagged frames, by index.
  public var parent: UInt32
  /// 1...4094
  public var vlan: UInt16

  public init(_ name: String, on parent: UInt32, vlan: UInt16) {
    self.name = name
    self.parent = parent
    self.vlan = vlan
  }
}

/// A link that carries frames to another host in UDP (RFC 7348; ip-link(8), `type vxlan`).
public struct Vxlan: Hashable, Sendable {
  /// At most 15 octets.
  public var name: String
  /// The network's number on the wire: 1...16,777,215 (VNI).
  public var id: UInt32
  /// The host that gets frames whose receiver is not known.
  public var remote: IPAddress
  /// The address they come from; nil for what the route to the other host says.
  public var local: IPAddress?
  /// The UDP port of both hosts.
  public var port: UInt16
  public var mtu: UInt32?
  public var group: UInt32?
  /// The bridge that it joins, by index.
  public var master: UInt32?
  /// True if the port learns the source addresses of frames that come in.
  public var learns = true

  public init(_ name: String, id: UInt32, remote: IPAddress, port: UInt16) {
    self.name = name
    self.id = id
    self.remote = remote
    self.port = port
  }
}

extension RouteBatch {
  public mutating func create(_ macvlan: Macvlan, tolerating tolerance: Tolerance = .none) {
    append(
      "create macvlan", .name(macvlan.name), tolerating: tolerance, type: Int(RTM_NEWLINK),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      writer.putLinkHeader()
      writer.attribute(Int(IFLA_IFNAME), macvlan.name)
      writer.attribute(Int(IFLA_LINK), macvlan.parent)
      if let mac = macvlan.mac { writer.attribute(Int(IFLA_ADDRESS), mac) }
      if let mtu = macvlan.mtu { writer.attribute(Int(IFLA_MTU), mtu) }
      writer.attribute(Int(IFLA_NET_NS_FD), macvlan.namespace.rawValue)
      writer.nest(Int(IFLA_LINKINFO)) { writer in
        writer.attribute(Int(IFLA_INFO_KIND), "macvlan")
        let mode = macvlan.mode == .bridge ? MACVLAN_MODE_BRIDGE : MACVLAN_MODE_PASSTHRU
        writer.nest(Int(IFLA_INFO_DATA)) { $0.attribute(Int(IFLA_MACVLAN_MODE), UInt32(mode.rawValue)) }
      }
    }
  }

  public mutating func create(_ interface: VLANInterface, tolerating tolerance: Tolerance = .none) {
    append(
      "create vlan", .name(interface.name), tolerating: tolerance, type: Int(RTM_NEWLINK),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      writer.putLinkHeader()
      writer.attribute(Int(IFLA_IFNAME), interface.name)
      writer.attribute(Int(IFLA_LINK), interface.parent)
      writer.nest(Int(IFLA_LINKINFO)) { writer in
        writer.attribute(Int(IFLA_INFO_KIND), "vlan")
        writer.nest(Int(IFLA_INFO_DATA)) { $0.attribute(Int(IFLA_VLAN_ID), interface.vlan) }
      }
    }
  }

  public mutating func create(_ vxlan: Vxlan, tolerating tolerance: Tolerance = .none) {
    append(
      "create vxlan", .name(vxlan.name), tolerating: tolerance, type: Int(RTM_NEWLINK),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      writer.putLinkHeader()
      writer.attribute(Int(IFLA_IFNAME), vxlan.name)
      if let mtu = vxlan.mtu { writer.attribute(Int(IFLA_MTU), mtu) }
      if let group = vxlan.group { writer.attribute(Int(IFLA_GROUP), group) }
      if let master = vxlan.master { writer.attribute(Int(IFLA_MASTER), master) }
      writer.nest(Int(IFLA_LINKINFO)) { writer in
        writer.attribute(Int(IFLA_INFO_KIND), "vxlan")
        writer.nest(Int(IFLA_INFO_DATA)) { $0.putData(of: vxlan) }
      }
    }
  }
}

extension MessageWriter {
  fileprivate mutating func putData(of vxlan: Vxlan) {
    attribute(Int(IFLA_VXLAN_ID), vxlan.id)
    switch vxlan.remote {
    case .v4: attribute(Int(IFLA_VXLAN_GROUP), vxlan.remote)
    case .v6: attribute(Int(IFLA_VXLAN_GROUP6), vxlan.remote)
    }
    if let local = vxlan.local {
      switch local {
      case .v4: attribute(Int(IFLA_VXLAN_LOCAL), local)
      case .v6: attribute(Int(IFLA_VXLAN_LOCAL6), local)
      }
    }
    // The port travels in network byte order.
    attribute(Int(IFLA_VXLAN_PORT), vxlan.port.bigEndian)
    attribute(Int(IFLA_VXLAN_LEARNING), UInt8(vxlan.learns ? 1 : 0))
  }
}
