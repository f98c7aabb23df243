import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The links whose both ends are to run.
  mutating func links(_ services: [DesiredService], _ names: inout [String: InterfaceNames]) -> [DesiredLink] {
    let running = Set(services.map(\.service))
    var counts: [String: Int] = [:]
    let overrides = Dictionary(keepingFirst: (previous?.links ?? []).map { ($0.unshaped, $0.override) })
    let between = file.links.filter { link in
      link.ends.allSatisfy { $0.hostLink != nil || running.contains($0.service.value) }
    }
    return between.compactMap { link in
      if let own = link.hostLink { return hostCable(link, own, &names) }
      let pair = link.ends.map(\.service.value).sorted().joined(separator: "/")
      let number = counts[pair, default: 0]
      counts[pair] = number + 1
      var desired = DesiredLink(
        first: end(link.first, to: link.second, number, &names),
        second: end(link.second, to: link.first, number, &names),
        mtu: link.mtu.map { UInt32($0.value) }, declaredAt: SourceLine(link.span.place),
        hasLinkLocal: link.ipv6 != nil ? link.hasLinkLocal : link.hasLinkLocal && facts.hasIPv6)
      desired.first.condition = condition(of: link.declared(from: link.first, to: link.second), link)
      desired.second.condition = condition(of: link.declared(from: link.second, to: link.first), link)
      desired.override = overrides[desired.unshaped] ?? nil
      return desired
    }
  }

  /// A cable from a service to a link of the host. Its flags are those from before the stack took it.
  private mutating func hostCable(
    _ link: StackFile.Link, _ own: Located<String>, _ names: inout [String: InterfaceNames]
  ) -> DesiredLink? {
    let (near, far) = link.first.hostLink == nil ? (link.first, link.second) : (link.second, link.first)
    let before = previous?.links.first { $0.hostLink?.name == own.value }
    guard let found = facts.hostLinks[own.value] else {
      errors.append(
        StackError(
          "\(stackName)/\(near.service.value)", "the host has no link \(own.value)",
          remedy: "name one that it has in \(own.span.place): ip link shows them"))
      return nil
    }
    if let use = found.use {
      errors.append(
        StackError(
          "\(stackName)/\(near.service.value)", "its link cannot end at the host's \(own.value): it \(use)",
          remedy: "name a link in \(own.span.place) that the host does not use itself"))
      return nil
    }
    var desired = DesiredLink(
      first: end(near, to: far, 0, &names),
      second: DesiredLink.End(
        service: far.service.value, interface: own.value, mac: found.mac ?? MACAddress(bits: 0), addresses: []),
      mtu: link.mtu.map { UInt32($0.value) }, declaredAt: SourceLine(link.span.place),
      hasLinkLocal: link.hasLinkLocal && facts.hasIPv6)
    // All that is sent to the link's own hardware address is for the service.
    if let mac = found.mac { desired.first.mac = mac }
    desired.hostLink = before?.hostLink ?? found.link
    desired.override = before?.unshaped == desired.unshaped ? before?.override : nil
    return desired
  }

  private func end(
    _ end: StackFile.Link.End, to other: StackFile.Link.End, _ number: Int, _ names: inout [String: InterfaceNames]
  ) -> DesiredLink.End {
    let service = end.service.value
    let interface =
      end.interface?.value ?? names[service, default: InterfaceNames(given: [String]())].next()
    var mac = end.mac?.value
    if mac == nil, case .v4(let address) = end.addresses.first?.value.address {
      mac = MACAddress.derived(from: address)
    }
    let hash = StableHash("link", stackName, service, other.service.value, String(number))
    var desired = DesiredLink.End(
      service: service, interface: interface,
      // Locally administered and no group's, with 40 bits of the names.
      mac: mac ?? MACAddress(bits: 0x0200_0000_0000 | hash.value & 0xFF_FFFF_FFFF),
      addresses: end.addresses.map { DesiredAddress($0.value) })
    desired.bridge = file.services[service]?.switching?.value.interface
    return desired
  }

  /// The subnets of links, which no network beside them may have: a service on both would know two ways.
  func claimLinks(_ allocator: inout AddressAllocator) {
    for address in file.links.flatMap(\.ends).flatMap(\.addresses) {
      if case .v4(let subnet) = address.value.network { allocator.claim(subnet, for: "a link") }
    }
  }
}

extension Resolver {
  /// Says which services have IPv6 by a link.
  mutating func markIPv6OfLinks(_ stack: inout DesiredStack) {
    let withIPv6 = stack.links.filter { link in link.ends.contains { link.hasIPv6(at: $0) } }
    guard !withIPv6.isEmpty else { return }
    let names = Set(withIPv6.flatMap { link in link.ends.filter { link.hasIPv6(at: $0) }.map(\.service) })
    for index in stack.services.indices where names.contains(stack.services[index].name) {
      stack.services[index].linksHaveIPv6 = true
    }
    guard !facts.hasIPv6 else { return }
    for link in withIPv6 {
      errors.append(
        StackError(
          stackName, "the link between \(link.services) cannot have IPv6: this kernel has none",
          remedy: "leave its IPv6 addresses out in \(link.declaredAt.map(\.description) ?? "the stack file"),"
            + " or boot without ipv6.disable=1"))
    }
  }

  /// Lets services find by name those that they reach by a link alone.
  func nameFarEnds(_ stack: inout DesiredStack) {
    guard !stack.links.isEmpty else { return }
    for index in stack.services.indices {
      let service = stack.services[index]
      let networks = Set(service.attachments.map(\.network))
      for (_, other, _) in stack.farEnds(of: service) {
        guard let neighbour = stack.service(named: other.service),
          networks.isDisjoint(with: neighbour.attachments.map(\.network))
        else { continue }
        // A link-local address says nothing without an interface.
        stack.services[index].extraHosts += other.addresses.map(\.address).filter { !$0.isLinkLocal6 }.map {
          DesiredHost(name: other.service, address: $0)
        }
      }
    }
    keepHostsFiles(&stack)
  }

  /// A first or a last cable changes what a service's /etc/hosts holds, and is no reason to make the service anew: it keeps the
  /// file that it has.
  private func keepHostsFiles(_ stack: inout DesiredStack) {
    for index in stack.services.indices {
      let service = stack.services[index]
      guard let before = previousServices[service.name], service.namespace == before.namespace,
        service.attachments.map(\.network) == before.attachments.map(\.network),
        service.hostsFile != before.hostsFile, file.services[service.service]?.extraHosts.isEmpty ?? false
      else { continue }
      stack.services[index].keptHostsFile = before.hostsFile
    }
  }
}
