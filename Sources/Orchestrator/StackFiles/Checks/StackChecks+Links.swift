import Addresses

extension StackChecks {
  /// Links whose ends are there, can talk to each other, and lead nowhere that a network leads.
  func checkLinks() {
    for link in stack.links {
      for end in link.ends { checkEnd(end) }
      checkAddresses(of: link)
      checkMTU(of: link)
    }
    checkSubnetsOfLinks()
    checkHostLinks()
  }

  /// A link of the host has one other end, and keeps what it is.
  private func checkHostLinks() {
    var seen: [String: Span] = [:]
    for link in stack.links {
      guard let own = link.hostLink else { continue }
      if let first = seen.updateValue(own.span, forKey: own.value) {
        diagnostics.add(
          Diagnostic(
            .badLink, "two links end at the host's \(own.value)", at: own.span, "again here",
            also: [Diagnostic.Label(first, "first here")],
            help: ["join several services to it by one with `switch: true`"]))
      }
      let isShaped = [(link.first, link.second), (link.second, link.first)].contains { sender, receiver in
        link.declared(from: sender, to: receiver) != StackFile.DeclaredCondition()
      }
      if isShaped {
        diagnostics.add(
          Diagnostic(
            .badLink, "a link to the host's \(own.value) has delay, loss or rate", at: link.span,
            "what comes in from outside cannot be held back",
            help: ["put a router or a switch between, and the conditions on the link to it"]))
      }
      for end in link.ends {
        guard let mac = end.mac else { continue }
        diagnostics.add(
          Diagnostic(
            .badLink, "the end opposite the host's \(own.value) has a hardware address", at: mac.span,
            "it has that of \(own.value)", help: ["leave mac_address out"]))
      }
    }
  }

  private func checkEnd(_ end: StackFile.Link.End) {
    guard end.hostLink == nil else { return }
    guard let service = stack.services[end.service.value] else {
      guard !serviceNames.contains(end.service.value) else { return }
      let meant = Suggestion.closest(to: end.service.value, among: stack.services.lazy.map(\.name.value))
      let declared = meant.flatMap { stack.services[$0] }
      diagnostics.add(
        Diagnostic(
          .undefinedService, "a link ends at undefined service \"\(end.service.value)\"", at: end.service.span,
          meant.map { "did you mean \"\($0)\"?" } ?? "",
          also: declared.map { [Diagnostic.Label($0.name.span, "\"\($0.name.value)\" is declared here")] } ?? [],
          help: end.service.value == StackFile.Link.End.host
            ? ["a link of the host is an end so: host: {link: eth1}"] : []))
      return
    }
    guard let mode = service.networkMode, mode.value != .isolated else { return }
    diagnostics.add(
      Diagnostic(
        .networkModeConflict, "a link ends at service \"\(service.name.value)\", which has no network of its own",
        at: end.service.span, also: [Diagnostic.Label(mode.span, "its network is said here")]))
  }

  /// The kernel switches IPv6 off on a link that carries less.
  private func checkMTU(of link: StackFile.Link) {
    let least = StackFile.Link.LinkIPv6.leastMTU
    guard let mtu = link.mtu, mtu.value < least else { return }
    let given = link.ends.flatMap(\.addresses).first { !$0.value.isV4 }?.span
    guard let place = given ?? (link.hasLinkLocal ? link.ipv6?.span : nil) else { return }
    diagnostics.add(
      Diagnostic(
        .badLink, "a link with IPv6 carries packets of \(least) octets at least", at: mtu.span,
        "RFC 8200, section 5", also: [Diagnostic.Label(place, "it has IPv6 here")],
        help: ["raise the mtu to \(least), or leave IPv6 out"]))
  }

  private func checkAddresses(of link: StackFile.Link) {
    for one in link.first.addresses {
      for other in link.second.addresses where one.value.address == other.value.address {
        diagnostics.add(
          Diagnostic(
            .duplicateAddress, "both ends of a link have the address \(one.value.address)", at: other.span,
            "again here", also: [Diagnostic.Label(one.span, "first here")]))
      }
    }
    // If both ends have addresses of a family, each needs a neighbour in the other's subnet.
    for one in link.first.addresses {
      let others = link.second.addresses.filter { $0.value.isV4 == one.value.isV4 }
      guard let other = others.first, !others.contains(where: { $0.value.network == one.value.network }) else {
        continue
      }
      let subnet = one.value.network.map(\.description) ?? ""
      diagnostics.add(
        Diagnostic(
          .badLink, "the ends of a link are in different subnets", at: other.span, "this is not in \(subnet)",
          also: [Diagnostic.Label(one.span, "the other end is in \(subnet)")]))
    }
  }

  /// Reports overlapping subnets of a service: one of two ways to the same addresses never carries a packet.
  private func checkSubnetsOfLinks() {
    var claims: [String: [(network: IPPrefix, span: Span)]] = [:]
    func claim(_ network: IPPrefix, _ span: Span, _ service: String) {
      if let other = claims[service]?.first(where: { $0.network.overlaps(network) }) {
        diagnostics.add(
          Diagnostic(
            .overlappingSubnets, "two interfaces of service \"\(service)\" are in \(network)", at: span,
            "again here", also: [Diagnostic.Label(other.span, "first here")]))
      }
      claims[service, default: []].append((network, span))
    }
    for link in stack.links {
      for end in link.ends {
        for address in end.addresses {
          // Each interface has link-local neighbours of its own.
          guard let network = address.value.network, !address.value.address.isLinkLocal6 else { continue }
          claim(network, address.span, end.service.value)
        }
      }
    }
    for service in stack.services {
      for attachment in service.attachments {
        // Several addresses of one interface may be in one subnet.
        var own: Set<IPPrefix> = []
        for address in attachment.furtherAddresses
        where !address.value.isSingle && !address.value.address.isLinkLocal6 {
          guard let network = address.value.network, !isWithin(attachment, network), own.insert(network).inserted
          else { continue }
          claim(network, address.span, service.name.value)
        }
      }
    }
    for (name, links) in claims.sorted(by: { $0.key < $1.key }) {
      for attachment in stack.services[name]?.attachments ?? [] {
        let network = stack.networks[attachment.network.value]
        let subnets = [network?.subnet?.map { IPPrefix.v4($0) }, network?.subnet6?.map { IPPrefix.v6($0) }]
        guard
          let subnet = subnets.compactMap(\.self).first(where: { own in
            links.contains { $0.network.overlaps(own.value) }
          }),
          let link = links.first(where: { $0.network.overlaps(subnet.value) })
        else { continue }
        diagnostics.add(
          Diagnostic(
            .overlappingSubnets, "two interfaces of service \"\(name)\" are in \(subnet.value)", at: link.span,
            "again here", also: [Diagnostic.Label(subnet.span, "first here")]))
      }
    }
  }
}

extension StackChecks {
  /// True if an attachment's network has a range.
  private func isWithin(_ attachment: StackFile.Attachment, _ range: IPPrefix) -> Bool {
    guard let network = stack.networks[attachment.network.value] else { return false }
    let subnets = [network.subnet(of: attachment)?.map { IPPrefix.v4($0) }, network.subnet6?.map { IPPrefix.v6($0) }]
    return subnets.compactMap(\.self).contains { $0.value == range }
  }
}

extension StackFile.InterfaceAddress {
  var isV4: Bool { address.isV4 }
}

extension IPPrefix {
  func overlaps(_ other: IPPrefix) -> Bool { contains(other.network) || other.contains(network) }
}
