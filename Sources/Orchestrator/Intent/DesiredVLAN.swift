import Addresses

/// A VLAN of a network's bridge.
package struct DesiredVLAN: Codable, Hashable, Sendable {
  /// 2...4094
  package var id: UInt16
  /// nil where services in it have addresses of the network's own subnet.
  package var subnet: IPv4Prefix?
  /// The router's address, which is the default route of the services in it.
  package var gateway: IPv4Address?
  /// The bridge that its frames are on, without a tag, where the kernel's bridges tell no VLANs apart. nil where the network's
  /// own bridge does.
  package var bridge: String?

  package init(id: UInt16, subnet: IPv4Prefix? = nil, gateway: IPv4Address? = nil, bridge: String? = nil) {
    self.id = id
    self.subnet = subnet
    self.gateway = gateway
    self.bridge = bridge
  }
}

/// The VLANs that an interface is in.
package enum DesiredVLANMembership: Codable, Hashable, Sendable {
  /// One, whose tag the service never sees.
  case access(UInt16)
  /// Several, with an interface for each beside the untagged one.
  case trunk([Subinterface])

  package struct Subinterface: Codable, Hashable, Sendable {
    package var vlan: UInt16
    /// `eth0.10`
    package var interface: String
    /// nil in a VLAN without a subnet.
    package var address: IPv4Address?
    package var length: Int
    /// The host's end of a veth pair of its own, where the VLAN has a bridge of its own. nil where the frames pass by the interface
    /// beside it, with a tag.
    package var link: String?

    package init(vlan: UInt16, interface: String, address: IPv4Address? = nil, length: Int, link: String? = nil) {
      self.vlan = vlan
      self.interface = interface
      self.address = address
      self.length = length
      self.link = link
    }
  }
}

extension DesiredAttachment {
  /// The VLAN that its own address is in; nil where frames have no tag.
  package var accessVLAN: UInt16? {
    if case .access(let id) = vlan { id } else { nil }
  }

  /// Its interfaces for VLANs beside the one that is named after the network.
  package var subinterfaces: [DesiredVLANMembership.Subinterface] {
    if case .trunk(let interfaces) = vlan { interfaces } else { [] }
  }

  /// True if it has an interface in a VLAN; nil means untagged frames.
  package func isIn(_ id: UInt16?) -> Bool { accessVLAN == id || id != nil && subinterfaces.contains { $0.vlan == id } }

  /// Its address in a VLAN; nil means untagged frames.
  package func address(in id: UInt16?) -> IPv4Address? {
    accessVLAN == id ? address : subinterfaces.first { $0.vlan == id }?.address
  }
}

/// A veth pair between a service and a bridge.
package struct AttachmentPair: Hashable {
  /// The host's end.
  package var link: String
  /// The service's.
  package var interface: String
  /// The VLAN that it is for, alone; nil for where frames have no tag, and for a trunk.
  package var vlan: UInt16?
}

extension DesiredAttachment {
  /// All that it has of veth pairs: none on a link of the host, one on a bridge, and one more for each VLAN of a trunk that has a
  /// bridge of its own.
  package var pairs: [AttachmentPair] {
    guard isOnBridge else { return [] }
    return [AttachmentPair(link: link, interface: interface, vlan: accessVLAN)]
      + subinterfaces.compactMap { own in
        own.link.map { AttachmentPair(link: $0, interface: own.interface, vlan: own.vlan) }
      }
  }
}

extension DesiredNetwork {
  /// True if its bridge tells VLANs apart by the tags of frames.
  package var filtersVLANs: Bool { vlans.contains { $0.bridge == nil } }

  /// Its bridge and those of its VLANs.
  package var bridges: [String] { [bridge] + vlans.compactMap(\.bridge) }

  /// The bridge of a VLAN that has one of its own.
  package func bridge(ofVLAN id: UInt16?) -> String? { id.flatMap { id in vlans.first { $0.id == id } }?.bridge }

  private func vlan(of attachment: DesiredAttachment) -> DesiredVLAN? {
    attachment.accessVLAN.flatMap { id in vlans.first { $0.id == id } }
  }

  /// The subnet that an attachment's address is of.
  package func subnet(of attachment: DesiredAttachment) -> IPv4Prefix { vlan(of: attachment)?.subnet ?? subnet }

  /// The default route of an attachment, if it can have one: the host is where frames have no tag.
  package func gateway(of attachment: DesiredAttachment) -> IPv4Address? {
    attachment.accessVLAN == nil ? gateway : vlan(of: attachment)?.gateway
  }
}
