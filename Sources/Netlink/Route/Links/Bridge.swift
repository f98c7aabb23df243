import Addresses
import CNetfilter

/// A bridge to be made (bridge(8)). What is nil is left to the kernel.
public struct Bridge: Hashable, Sendable {
  /// At most 15 octets.
  public var name: String
  /// The number it is to have, so that later requests of the same batch can name it.
  public var index: UInt32?
  /// Its hardware address. A bridge with none takes the lowest of its ports and changes it as they come and go.
  public var mac: MACAddress?
  /// The kernel follows the smallest MTU of the ports, this one notwithstanding, until a ``LinkChange`` sets it
  /// (br_mtu_auto_adjust): give the ports the same.
  public var mtu: UInt32?
  public var isUp = true
  /// The device group, by which all of a stack's links can be deleted in one request.
  public var group: UInt32?
  /// True if it listens for multicast group reports (IGMP, MLD) of its ports.
  public var snoopsMulticast = false
  public var filtersVLANs = false
  /// True if it blocks ports by the spanning tree protocol, so that frames have one way to everywhere. A port passes frames on
  /// after twice ``forwardDelay``.
  public var usesSpanningTree = false
  /// In hundredths of a second (USER_HZ).
  public var forwardDelay: UInt32?
  /// The time that a learned address is kept, in hundredths of a second (USER_HZ).
  public var ageing: UInt32?
  /// True if bridged IPv4 frames visit iptables and nftables' ip hooks (nf_call_iptables). The global sysctl stands beside it.
  public var callsIPTables: Bool?
  /// The same for IPv6 (nf_call_ip6tables).
  public var callsIP6Tables: Bool?

  public init(_ name: String) {
    self.name = name
  }
}

extension RouteBatch {
  /// Makes a bridge.
  ///
  /// The alias and the mode of IPv6 address generation need a ``LinkChange`` of their own. In the request that creates
  /// the link, RTM_NEWLINK ignores the first and refuses the second (EAFNOSUPPORT, inet6_validate_link_af).
  public mutating func create(_ bridge: Bridge, tolerating tolerance: Tolerance = .none) {
    append(
      "create bridge", .name(bridge.name), tolerating: tolerance, type: Int(RTM_NEWLINK),
      flags: NLM_F_CREATE | NLM_F_EXCL
    ) { writer in
      let flags: UInt32 = bridge.isUp ? interfaceUp : 0
      writer.putLinkHeader(index: bridge.index ?? 0, flags: flags, change: flags)
      writer.attribute(Int(IFLA_IFNAME), bridge.name)
      if let mac = bridge.mac { writer.attribute(Int(IFLA_ADDRESS), mac) }
      if let mtu = bridge.mtu { writer.attribute(Int(IFLA_MTU), mtu) }
      if let group = bridge.group { writer.attribute(Int(IFLA_GROUP), group) }
      writer.nest(Int(IFLA_LINKINFO)) { writer in
        writer.attribute(Int(IFLA_INFO_KIND), "bridge")
        writer.nest(Int(IFLA_INFO_DATA)) { writer in
          if let delay = bridge.forwardDelay { writer.attribute(Int(IFLA_BR_FORWARD_DELAY), delay) }
          writer.attribute(Int(IFLA_BR_STP_STATE), UInt32(bridge.usesSpanningTree ? 1 : 0))
          writer.attribute(Int(IFLA_BR_MCAST_SNOOPING), UInt8(bridge.snoopsMulticast ? 1 : 0))
          if bridge.filtersVLANs { writer.attribute(Int(IFLA_BR_VLAN_FILTERING), UInt8(1)) }
          if let ageing = bridge.ageing { writer.attribute(Int(IFLA_BR_AGEING_TIME), ageing) }
          if let calls = bridge.callsIPTables { writer.attribute(Int(IFLA_BR_NF_CALL_IPTABLES), UInt8(calls ? 1 : 0)) }
          if let calls = bridge.callsIP6Tables {
            writer.attribute(Int(IFLA_BR_NF_CALL_IP6TABLES), UInt8(calls ? 1 : 0))
          }
        }
      }
    }
  }
}

/// IFF_UP (netdevice(7)).
let interfaceUp: UInt32 = 1
/// IFF_NOARP of linux/if.h.
let interfaceWithoutARP: UInt32 = 0x80
/// IFF_ALLMULTI.
let interfaceTakingAllMulticast: UInt32 = 0x200
