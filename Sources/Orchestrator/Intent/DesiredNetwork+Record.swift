import Addresses
import Vocabulary

/// The network in a record: one object. Its kind shows by the key that it has, `parent` or `tunnel`, as in the records of
/// earlier versions.
extension DesiredNetwork: Codable {
  private enum Key: String, CodingKey {
    case name, bridge, mac, subnet, gateway, isInternal, declaredAt, mtu, owner, parent, tunnel, vlans, givenName, ipv6,
      hasHost, masquerades
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    self.init(
      name: try fields.decode(String.self, forKey: .name), bridge: try fields.decode(String.self, forKey: .bridge),
      mac: try fields.decode(MACAddress.self, forKey: .mac),
      subnet: try fields.decode(IPv4Prefix.self, forKey: .subnet),
      gateway: try fields.decode(IPv4Address.self, forKey: .gateway),
      isInternal: try fields.decodeIfPresent(Bool.self, forKey: .isInternal) ?? false,
      declaredAt: try fields.decodeIfPresent(SourceLine.self, forKey: .declaredAt),
      mtu: try fields.decodeIfPresent(UInt32.self, forKey: .mtu),
      owner: try fields.decodeIfPresent(String.self, forKey: .owner), kind: try Self.kind(fields),
      vlans: try fields.decodeIfPresent([DesiredVLAN].self, forKey: .vlans) ?? [],
      givenName: try fields.decodeIfPresent(String.self, forKey: .givenName),
      ipv6: try fields.decodeIfPresent(IPv6.self, forKey: .ipv6))
    hasHost = try fields.decodeIfPresent(Bool.self, forKey: .hasHost) ?? true
    masquerades = try fields.decodeIfPresent(Bool.self, forKey: .masquerades) ?? true
  }

  private static func kind(_ fields: KeyedDecodingContainer<Key>) throws -> Kind {
    if let parent = try fields.decodeIfPresent(String.self, forKey: .parent) { return .macvlan(parent: parent) }
    if let tunnel = try fields.decodeIfPresent(DesiredTunnel.self, forKey: .tunnel) { return .vxlan(tunnel) }
    return .bridge
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(name, forKey: .name)
    try fields.encode(bridge, forKey: .bridge)
    try fields.encode(mac, forKey: .mac)
    try fields.encode(subnet, forKey: .subnet)
    try fields.encode(gateway, forKey: .gateway)
    if isInternal { try fields.encode(isInternal, forKey: .isInternal) }
    try fields.encodeIfPresent(declaredAt, forKey: .declaredAt)
    try fields.encodeIfPresent(mtu, forKey: .mtu)
    try fields.encodeIfPresent(owner, forKey: .owner)
    switch kind {
    case .bridge: break
    case .vxlan(let tunnel): try fields.encode(tunnel, forKey: .tunnel)
    case .macvlan(let parent): try fields.encode(parent, forKey: .parent)
    }
    if !vlans.isEmpty { try fields.encode(vlans, forKey: .vlans) }
    try fields.encodeIfPresent(givenName, forKey: .givenName)
    try fields.encodeIfPresent(ipv6, forKey: .ipv6)
    if !hasHost { try fields.encode(hasHost, forKey: .hasHost) }
    if !masquerades { try fields.encode(masquerades, forKey: .masquerades) }
  }
}
