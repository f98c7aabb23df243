import Addresses

extension Field {
  /// An item of `links:`. Nil, with a diagnostic, when it has not two ends.
  func link() -> StackFile.Link? {
    guard node.entries != nil else {
      reportShape("a mapping", help: ["write its ends: `- ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}`"])
      return nil
    }
    var draft = LinkDraft()
    LinkDraft.keys.read(self, into: &draft)
    guard let ends = draft.ends else {
      if node["ends"] == nil, node["endpoints"] == nil {
        report(.missingKey, "a link needs \"ends\"", help: ["write `ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}`"])
      }
      return nil
    }
    let link = StackFile.Link(
      first: ends.0, second: ends.1, mtu: draft.mtu, ipv6: draft.ipv6, conditions: draft.conditions, span: node.span)
    check(link.declared(from: link.first, to: link.second))
    check(link.declared(from: link.second, to: link.first))
    return link
  }

  /// `{r1: 10.0.12.1/30, r2: 10.0.12.2/30}`, with details of an end in a mapping.
  fileprivate func linkEnds() -> (StackFile.Link.End, StackFile.Link.End)? {
    guard let entries = node.entries else {
      reportShape("a mapping from two services to their addresses")
      return nil
    }
    return pair(
      entries.map { entry in
        var end = StackFile.Link.End(service: entry.key)
        let field = self.entry(entry)
        if entry.key.value == StackFile.Link.End.host, entry.value["link"] != nil {
          LinkDraft.hostKeys.read(field, into: &end)
          return end
        }
        switch entry.value.content {
        case .mapping: LinkDraft.endKeys.read(field, into: &end)
        default: end.addresses = field.interfaceAddresses()
        }
        return end
      })
  }

  /// `["r1:eth1", "r2:eth1"]`, as containerlab writes it.
  fileprivate func linkEndpoints() -> (StackFile.Link.End, StackFile.Link.End)? {
    guard let items = items() else { return nil }
    let ends = items.compactMap { item -> StackFile.Link.End? in
      guard let text = item.nonEmptyText() else { return nil }
      let bytes = Array(text.value.utf8)
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
        return StackFile.Link.End(service: text)
      }
      let service = Located(
        String(decoding: bytes[..<colon], as: UTF8.self), item.node.span(of: 0..<colon))
      var end = StackFile.Link.End(service: service)
      let interface = item.part(colon + 1..<bytes.count)
      if service.value == StackFile.Link.End.host {
        end.hostLink = interface.interfaceName()
      } else {
        end.interface = interface.interfaceName()
      }
      return end
    }
    guard ends.count == items.count else { return nil }
    return pair(ends)
  }

  private func pair(_ ends: [StackFile.Link.End]) -> (StackFile.Link.End, StackFile.Link.End)? {
    guard ends.count == 2 else {
      report(
        .badLink, "a link has two ends", "\(ends.count == 1 ? "this is one" : "these are \(ends.count)")",
        help: ["a network joins more than two: `networks:`"])
      return nil
    }
    guard ends[0].service.value != ends[1].service.value else {
      report(
        .badLink, "both ends of a link are at \"\(ends[0].service.value)\"", "again here", at: ends[1].service.span,
        also: [Diagnostic.Label(ends[0].service.span, "first here")])
      return nil
    }
    return (ends[0], ends[1])
  }

  /// Nothing, an address with its length, or several.
  ///
  /// - Parameter bare: whether an address without a length stands for itself alone.
  func interfaceAddresses(bare: Bool = false) -> [Located<StackFile.InterfaceAddress>] {
    if node.isNull { return [] }
    if let items = node.items { return items.compactMap { with($0).interfaceAddress(bare: bare) } }
    return interfaceAddress(bare: bare).map { [$0] } ?? []
  }

  /// Addresses that stand for themselves alone.
  func loopbackAddresses() -> [Located<StackFile.InterfaceAddress>] {
    interfaceAddresses(bare: true).filter { address in
      guard !address.value.address.isLinkLocal6, !address.value.isLinkScoped else {
        report(
          .reservedAddress, "\(address.value.address) is good on one link alone", "a loopback has no neighbours",
          at: address.span)
        return false
      }
      guard address.value.isSingle else {
        // On a loopback, the kernel takes a whole subnet for its own.
        report(
          .badAddress, "\(address.value) is no single address", "a loopback has no neighbours", at: address.span,
          help: ["write the address alone: \(address.value.address)"])
        return false
      }
      return true
    }
  }

  private func interfaceAddress(bare: Bool) -> Located<StackFile.InterfaceAddress>? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    guard let space = bytes.firstIndex(of: UInt8(ascii: " ")) else { return plainInterfaceAddress(bare: bare) }
    let scope = part(space + 1..<bytes.count)
    guard var address = part(0..<space).plainInterfaceAddress(bare: bare) else { return nil }
    guard scope.node.scalar?.text == "scope link" else {
      report(
        .badAddress, "\"\(Self.shortened(scope.node.scalar?.text ?? ""))\" cannot follow an address", at: scope.span,
        help: ["write `10.0.12.1/30 scope link`, or leave it out"])
      return nil
    }
    guard address.value.isV4 else {
      report(
        .badAddress, "the scope of an IPv6 address follows from the address", at: scope.span,
        help: ["leave `scope link` out, or give an address of fe80::/10"])
      return nil
    }
    address.value.isLinkScoped = true
    return Located(address.value, text.span)
  }

  private func plainInterfaceAddress(bare: Bool) -> Located<StackFile.InterfaceAddress>? {
    guard let text = nonEmptyText() else { return nil }
    var parts = text.value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if bare, parts.count == 1, let address = IPAddress(parts[0]) { parts.append("\(address.octets.count * 8)") }
    if parts.count == 2, let address = IPv6Address(parts[0]) { return interfaceAddress(address, parts[1], text) }
    guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]), (1...32).contains(length),
      let prefix = IPv4Prefix(containing: address, length: length)
    else {
      report(
        .badAddress, "\"\(Self.shortened(text.value))\" is not an address with its length",
        help: ["write both, as for ip address: 10.0.12.1/30"])
      return nil
    }
    guard !address.isLoopback, address.octets[0] != 0, address.octets[0] < 224 else {
      report(.reservedAddress, "\(address) is no single host's address", "no interface can have it")
      return nil
    }
    if length < 31, address == prefix.network || address == prefix.last {
      let role = address == prefix.network ? "the network address" : "the broadcast address"
      report(.reservedAddress, "\(address) is \(role) of \(prefix)", "no interface can have it")
      return nil
    }
    // RFC 3927, 2.7: no router passes on what is sent from there.
    let isLinkLocal = address.octets[0] == 169 && address.octets[1] == 254
    return Located(
      StackFile.InterfaceAddress(address: .v4(address), length: length, isLinkScoped: isLinkLocal), text.span)
  }

  private func interfaceAddress(
    _ address: IPv6Address, _ lengthText: String, _ text: Located<String>
  ) -> Located<StackFile.InterfaceAddress>? {
    guard let length = Int(lengthText), (1...128).contains(length),
      let prefix = IPv6Prefix(containing: address, length: length)
    else {
      report(
        .badAddress, "\"\(Self.shortened(text.value))\" is not an address with its length",
        help: ["write both, as for ip address: fd00:12::1/64"])
      return nil
    }
    if length < 127, address == prefix.network {
      // Every router of a subnet answers to it (RFC 4291, 2.6.1).
      report(.reservedAddress, "\(address) is the routers' address of \(prefix)", "no interface can have it")
      return nil
    }
    if let block = IPv6Prefix.notForHosts.first(where: { $0.prefix.contains(address) }),
      !IPAddress.v6(address).isLinkLocal6
    {
      report(
        .reservedAddress, "\(address) is not for hosts", "\(block.prefix) is \(block.words)",
        help: ["choose one in fd00::/8"])
      return nil
    }
    return Located(StackFile.InterfaceAddress(address: .v6(address), length: length), text.span)
  }

  /// A part of a text as a value of its own.
  func part(_ range: Range<Int>) -> Field {
    let bytes = Array((node.scalar?.text ?? "").utf8)
    let text = String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    return with(Node(.scalar(Node.Scalar(text: text, isPlain: false)), node.span(of: range)))
  }
}

private struct LinkDraft {
  var ends: (StackFile.Link.End, StackFile.Link.End)?
  var mtu: Located<Int>?
  var ipv6: Located<StackFile.Link.LinkIPv6>?
  var conditions = StackFile.DeclaredCondition()

  static let keys = KeyTable<LinkDraft>(
    "link",
    ConditionKeys.oneWay { draft, change in change(&draft.conditions) } + [
      .read("ends", "two services with their addresses: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}") { field, draft in
        draft.ends = field.linkEnds()
      },
      .read("endpoints", "two services with their interfaces: [\"r1:eth1\", \"r2:eth1\"]") { field, draft in
        if let other = draft.ends?.0 {
          field.report(
            .conflictingKeys, "a link has its ends twice", "again here", at: field.key,
            also: [Diagnostic.Label(other.service.span, "first here")])
        } else {
          draft.ends = field.linkEndpoints()
        }
      },
      .read("mtu", "the largest packet in octets; 1500") { field, draft in draft.mtu = field.mtu() },
      .read("ipv6", "link-local: link-local addresses; none; default: link-local where the ends have no address") {
        field, draft in
        draft.ipv6 = field.choice(StackFile.Link.LinkIPv6.self)
      },
    ])

  static let hostKeys = KeyTable<StackFile.Link.End>(
    "host's end of a link",
    [
      .read("link", "a link of the host, whose frames go to the other end while the stack is up") { field, end in
        end.hostLink = field.interfaceName()
      }
    ])

  static let endKeys = KeyTable<StackFile.Link.End>(
    "link's end",
    ConditionKeys.keys { end, change in change(&end.conditions) } + [
      .read("address", "an address with its length, or several") { field, end in
        end.addresses = field.interfaceAddresses()
      },
      .read("interface_name", "the interface's name inside; the next free one of eth0, eth1 and so on") { field, end in
        end.interface = field.interfaceName()
      },
      .read("mac_address", "the interface's hardware address") { field, end in end.mac = field.macAddress() },
    ])
}
