import Addresses
import Host
import Intent
import Kernel
import Netlink

/// The addresses, neighbours and routes of IPv6. All are known in advance. So nothing waits for duplicate address
/// detection, and no neighbour solicitation is sent.
extension StackBuilder {
  /// The address generation mode of a link of the host: none, so that it gets no link-local address.
  ///
  /// Nil if the kernel has no IPv6, or if the link's MTU is below 1280 (RFC 8200, section 5). rtnetlink would answer
  /// EAFNOSUPPORT.
  func addressGeneration(on network: DesiredNetwork) -> IPv6AddressGeneration? {
    hasIPv6 && network.canCarryIPv6 ? IPv6AddressGeneration.none : nil
  }

  /// Before the bridge is up: whether it speaks IPv6, and that it believes no router.
  ///
  /// On a bridge without it, IPv6 is switched off. A service with NET_RAW could otherwise announce itself to the host
  /// as a router (CVE-2020-10749). A kernel without IPv6 has nothing to switch off.
  func setIPv6(of network: DesiredNetwork) throws(KernelError) {
    let folder = "/proc/sys/net/ipv6/conf/\(network.bridge)"
    guard network.ipv6 != nil, network.hasHost else { return try switchIPv6Off(on: network.bridge) }
    // A host may have IPv6 switched off for the links that are yet to come.
    for (setting, value) in [("disable_ipv6", "0"), ("accept_ra", "0"), ("accept_redirects", "0")] {
      try Files.set("\(folder)/\(setting)", to: value)
    }
  }

  func switchIPv6Off(on bridge: String) throws(KernelError) {
    do throws(KernelError) {
      try Files.set("/proc/sys/net/ipv6/conf/\(bridge)/disable_ipv6", to: "1")
    } catch  where error.errno == .noSuchFileOrDirectory {
      return
    }
  }
}

/// The IPv6 settings of a service's namespace, once a cable brings the first IPv6 address.
extension StackBuilder {
  /// A namespace that was made without IPv6 has it switched off for every interface. What is set then is what
  /// ``NetworkNamespace/IPv6/fixed`` sets from the beginning.
  func switchIPv6On(at interface: String, in namespace: SharedNamespace) throws(KernelError) {
    let folder = "/proc/sys/net/ipv6/conf"
    try visiting(namespace.descriptor) { () throws(KernelError) in
      guard try Files.read("\(folder)/\(interface)/disable_ipv6")?.first == UInt8(ascii: "1") else { return }
      for (setting, value) in Self.fixedIPv6 { try Files.set("\(folder)/\(interface)/\(setting)", to: value) }
      // Packets from a service to itself arrive by its loopback, so that needs IPv6 too.
      for link in ["lo", interface] { try Files.set("\(folder)/\(link)/disable_ipv6", to: "0") }
    }
  }

  private static let fixedIPv6 = [
    ("accept_ra", "0"), ("autoconf", "0"), ("router_solicitations", "0"), ("accept_dad", "0"), ("addr_gen_mode", "1"),
    ("accept_redirects", "0"), ("mldv2_unsolicited_report_interval", "2000000000"),
  ]
}

extension DesiredNetwork.IPv6 {
  func interfaceAddress(on link: UInt32) -> InterfaceAddress {
    Self.interfaceAddress(gateway, length: subnet.length, on: link)
  }

  fileprivate static func interfaceAddress(_ address: IPv6Address, length: Int, on link: UInt32) -> InterfaceAddress {
    var address = InterfaceAddress(.v6(address), prefixLength: length, on: link)
    address.skipsDuplicateDetection = true
    return address
  }
}

extension RouteBatch {
  /// The service's own address, before its link is up.
  ///
  /// A router has a link-local one as well: the kernel asks by it, and only by it, for the neighbours of packets of others
  /// (ndisc_send_ns in net/ipv6/ndisc.c).
  mutating func addIPv6Address(
    of attachment: DesiredAttachment, in network: DesiredNetwork, on link: UInt32, forwards: Bool
  ) {
    guard let ipv6 = attachment.ipv6, let length = network.ipv6?.subnet.length else { return }
    add(DesiredNetwork.IPv6.interfaceAddress(ipv6.address, length: length, on: link), tolerating: .existing)
    guard forwards else { return }
    add(
      DesiredNetwork.IPv6.interfaceAddress(attachment.mac.linkLocalAddress, length: 64, on: link), tolerating: .existing
    )
  }

  /// The gateway and the way through it, once the link is up.
  mutating func addIPv6Routes(of attachment: DesiredAttachment, in network: DesiredNetwork, on link: UInt32) {
    guard let ipv6 = attachment.ipv6, let gateway = network.ipv6?.gateway else { return }
    if network.hasHost { set(Neighbour(.v6(gateway), at: network.mac, on: link)) }
    if ipv6.isDefaultRoute { add(Route(to: .anyV6, via: .v6(gateway), on: link), tolerating: .existing) }
  }
}
