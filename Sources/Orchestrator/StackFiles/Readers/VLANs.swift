extension Field {
  /// `vlans:` of a network: from numbers to subnets, or to their details.
  func vlans() -> [StackFile.VLAN] {
    (entries() ?? []).compactMap { entry in
      let name = with(Node(.scalar(Node.Scalar(text: entry.key.value, isPlain: true)), entry.key.span), named: "VLAN")
      guard let id = name.vlanID() else { return nil }
      var vlan = StackFile.VLAN(id: id)
      let field = self.entry(entry)
      switch entry.value.content {
      case .mapping: Self.vlanKeys.read(field, into: &vlan)
      default: if !entry.value.isNull { vlan.subnet = field.subnet() }
      }
      return vlan
    }
  }

  private static let vlanKeys = KeyTable<StackFile.VLAN>(
    "VLAN",
    [
      .read("subnet", "the addresses of services in it: 10.1.10.0/24") { field, vlan in vlan.subnet = field.subnet() },
      .read("gateway", "the router's address in it") { field, vlan in vlan.gateway = field.ipv4Address() },
    ])

  fileprivate func vlanID() -> Located<Int>? { integer(in: 2...4094) }

  /// `vlan:` of an attachment: a number, `{access: 10}`, `{trunk: [10, 20]}` or `{trunk: {10: 10.1.10.1}}`.
  func vlanMembership() -> Located<StackFile.VLANMembership>? {
    guard node.entries != nil else { return vlanID().map { Located(.access($0), node.span) } }
    var draft = VLANDraft()
    VLANDraft.keys.read(self, into: &draft)
    if let access = draft.access, let trunk = draft.trunk {
      report(
        .conflictingKeys, "an interface is in one VLAN or a trunk of several", at: trunk.span,
        also: [Diagnostic.Label(access.span, "one VLAN")], help: ["leave one of them out"])
    }
    if let access = draft.access { return Located(.access(access), node.span) }
    if let trunk = draft.trunk { return Located(.trunk(trunk.value), node.span) }
    if node["access"] == nil, node["trunk"] == nil {
      report(
        .missingKey, "\"vlan\" needs \"access\" or \"trunk\"", help: ["write `vlan: 10` or `vlan: {trunk: [10, 20]}`"])
    }
    return nil
  }

  fileprivate func trunk() -> [StackFile.TrunkVLAN] {
    if let entries = node.entries {
      return entries.compactMap { entry in
        let name = with(Node(.scalar(Node.Scalar(text: entry.key.value, isPlain: true)), entry.key.span), named: "VLAN")
        let isNothing = entry.value.isNull || entry.value.scalar?.text.isEmpty == true
        return name.vlanID().map { id in
          StackFile.TrunkVLAN(id: id, address: isNothing ? nil : self.entry(entry).ipv4Address())
        }
      }
    }
    return (items() ?? []).compactMap { item in item.vlanID().map { StackFile.TrunkVLAN(id: $0) } }
  }
}

private struct VLANDraft {
  var access: Located<Int>?
  var trunk: Located<[StackFile.TrunkVLAN]>?

  static let keys = KeyTable<VLANDraft>(
    "vlan",
    [
      .read("access", "the one that its frames are in") { field, draft in draft.access = field.vlanID() },
      .read("trunk", "those that its frames carry the tags of") { field, draft in
        draft.trunk = Located(field.trunk(), field.span)
      },
    ])
}
