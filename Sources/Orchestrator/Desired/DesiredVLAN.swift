public import Netlink

/// A VLAN of a network's bridge.
public struct DesiredVLAN: Codable, Hashable, Sendable {
  /// 2...4094
  public var id: UInt16
  /// nil where services in it have addresses of the network's own subnet.
  public var subnet: IPv4Prefix?
  /// The router's address, which is the default route of the services in it.
  public var gateway: IPv4Address?
}

/// The VLANs that an interface is in.
public enum DesiredVLANMembership: Codable, Hashable, Sendable {
  /// One, whose tag the service never sees.
  case access(UInt16)
  /// Several, with an interface for each beside the untagged one.
  case trunk([Subinterface])

  public struct Subinterface: Codable, Hashable, Sendable {
    public var vlan: UInt16
    /// `eth0.10`
    public var interface: String
    /// nil in a VLAN without a subnet.
    public var address: IPv4Address?
    public var length: Int
  }
}

extension DesiredAttachment {
  /// The VLAN that its own address is in; nil where frames have no tag.
  public var accessVLAN: UInt16? {
    if case .access(let id) = vlan { id } else { nil }
  }

  /// Its interfaces for VLANs beside the one that is named after the network.
  public var subinterfaces: [DesiredVLANMembership.Subinterface] {
    if case .trunk(let interfaces) = vlan { interfaces } else { [] }
  }

  /// Whether it has an interface in a VLAN, or where frames have no tag.
  func isIn(_ id: UInt16?) -> Bool { accessVLAN == id || id != nil && subinterfaces.contains { $0.vlan == id } }

  /// Where it is met by who is in a VLAN, or where frames have no tag.
  func address(in id: UInt16?) -> IPv4Address? {
    accessVLAN == id ? address : subinterfaces.first { $0.vlan == id }?.address
  }
}

extension DesiredNetwork {
  private func vlan(of attachment: DesiredAttachment) -> DesiredVLAN? {
    attachment.accessVLAN.flatMap { id in vlans.first { $0.id == id } }
  }

  /// The subnet that an attachment's address is of.
  public func subnet(of attachment: DesiredAttachment) -> IPv4Prefix { vlan(of: attachment)?.subnet ?? subnet }

  /// The default route of an attachment, if it can have one: the host is where frames have no tag.
  public func gateway(of attachment: DesiredAttachment) -> IPv4Address? {
    attachment.accessVLAN == nil ? gateway : vlan(of: attachment)?.gateway
  }
}
