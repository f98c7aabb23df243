import CNetfilter

/// A VLAN that a port of a bridge is in (bridge(8), `bridge vlan add`), on a bridge that filters them.
public struct BridgeVLAN: Hashable, Sendable {
  /// The port, by index.
  public var port: UInt32
  /// 1...4094
  public var id: UInt16
  /// True if frames that come in without a tag are in this one (PVID).
  public var takesUntagged = false
  /// True if frames go out without their tag.
  public var leavesUntagged = false

  public init(_ id: UInt16, on port: UInt32) {
    self.id = id
    self.port = port
  }
}

extension RouteBatch {
  public mutating func add(_ vlan: BridgeVLAN) {
    // struct bridge_vlan_info: BRIDGE_VLAN_INFO_PVID is 2, _UNTAGGED 4 (linux/if_bridge.h, which defines them as shifts).
    append("add VLAN to", .link(.index(vlan.port)), tolerating: .none, type: Int(RTM_SETLINK), flags: 0) {
      $0.put(vlan, flags: (vlan.takesUntagged ? 2 : 0) | (vlan.leavesUntagged ? 4 : 0))
    }
  }

  /// A port that is in no VLAN any more drops everything.
  public mutating func delete(_ vlan: BridgeVLAN, tolerating tolerance: Tolerance = .none) {
    append("remove VLAN from", .link(.index(vlan.port)), tolerating: tolerance, type: Int(RTM_DELLINK), flags: 0) {
      $0.put(vlan, flags: 0)
    }
  }
}

extension MessageWriter {
  fileprivate mutating func put(_ vlan: BridgeVLAN, flags: UInt16) {
    // AF_BRIDGE: the message is the bridge's, about its port.
    putLinkHeader(family: 7, index: vlan.port)
    nest(Int(IFLA_AF_SPEC)) { writer in
      writer.attribute(Int(IFLA_BRIDGE_VLAN_INFO)) { writer in
        writer.put(flags)
        writer.put(vlan.id)
      }
    }
  }
}
