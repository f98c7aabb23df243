import Addresses

extension Field {
  /// `networks:` of a service: a list of names, or a mapping from names to details.
  func attachments() -> [StackFile.Attachment] {
    if let items = node.items {
      var attachments: [StackFile.Attachment] = []
      for item in items {
        guard let name = with(item).nonEmptyText() else { continue }
        if let first = attachments.first(where: { $0.network.value == name.value }) {
          report(
            .duplicateAttachment, "the network \"\(name.value)\" is joined twice", "again here", at: name.span,
            also: [Diagnostic.Label(first.network.span, "first here")])
          continue
        }
        attachments.append(StackFile.Attachment(network: name))
      }
      return attachments
    }
    guard node.isNull || node.entries != nil else {
      reportShape("a list of networks or a mapping")
      return []
    }
    return (node.entries ?? []).map { entry in
      var attachment = StackFile.Attachment(network: entry.key)
      Self.attachmentKeys.read(self.entry(entry), into: &attachment)
      self.entry(entry).check(attachment.conditions)
      return attachment
    }
  }

  static let attachmentKeys = KeyTable<StackFile.Attachment>(
    "network attachment",
    ConditionKeys.keys { attachment, change in change(&attachment.conditions) } + [
      .read("aliases", "further names on this network") { field, attachment in
        attachment.aliases = field.texts().compactMap { alias in
          field.with(Node(.scalar(Node.Scalar(text: alias.value, isPlain: false)), alias.span)).hostname()
        }
      },
      .read("ipv4_address", "a fixed address") { field, attachment in attachment.address = field.ipv4Address() },
      .read("ipv6_address", "a fixed address") { field, attachment in attachment.address6 = field.ipv6Address() },
      .read("addresses", "further addresses, each with its length: [10.7.1.1/24, 10.7.0.20/32]") { field, attachment in
        attachment.furtherAddresses = field.interfaceAddresses(bare: true)
      },
      .read("mac_address", "the interface's hardware address") { field, attachment in
        attachment.mac = field.macAddress()
      },
      .read("vlan", "the VLAN it is in: 10, or {trunk: [10, 20]}") { field, attachment in
        attachment.vlan = field.vlanMembership()
      },
      .read("gw_priority", "the default route is that of the network with the highest") { field, attachment in
        attachment.gatewayPriority = field.integer(in: -1_000_000...1_000_000)?.value ?? 0
      },
      .read("claims", "what it may send as beside its own addresses: an address, a range, dhcp, any") {
        field, attachment in attachment.claims = field.claims()
      },
      .ignored("priority", "networks are joined in the order of the file"),
      .read("interface_name", "the interface's name inside; eth0, eth1 and so on in the order of the file") {
        field, attachment in attachment.interface = field.interfaceName()
      },
      .ignored("link_local_ips", "link-local addresses are the kernel's own"),
      .ignored("driver_opts", "it is for Docker's network drivers"),
    ])

  func ipv4Address() -> Located<IPv4Address>? {
    guard let text = nonEmptyText() else { return nil }
    guard let address = IPv4Address(text.value) else {
      let isOther = IPAddress(text.value) != nil
      report(
        .badAddress, "\"\(Self.shortened(text.value))\" is not an IPv4 address",
        isOther ? "this is an IPv6 address" : "", help: isOther ? [] : ["write four numbers: 10.1.0.5"])
      return nil
    }
    return Located(address, text.span)
  }

  func macAddress() -> Located<MACAddress>? {
    guard let text = nonEmptyText() else { return nil }
    guard let address = MACAddress(text.value) else {
      report(
        .badMACAddress, "\"\(Self.shortened(text.value))\" is not a hardware address",
        help: ["write six octets: 02:42:0a:01:00:05"])
      return nil
    }
    guard !address.isMulticast, address.bits != 0 else {
      report(.badMACAddress, "\"\(address)\" cannot be an interface's own address", "it is a group's, or nobody's")
      return nil
    }
    return Located(address, text.span)
  }
}
