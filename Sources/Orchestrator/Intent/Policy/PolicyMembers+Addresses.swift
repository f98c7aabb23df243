import Vocabulary
import Addresses

extension DesiredAttachment {
  /// Its addresses of every family.
  package var addresses: [IPAddress] { [.v4(address)] + (ipv6.map { [.v6($0.address)] } ?? []) }

  /// Its addresses with the further ones, by which its neighbours on the network find it.
  package var neighbourAddresses: [IPAddress] { addresses + furtherAddresses.map(\.address) }

  /// Those that the bridge knows the hardware address of. Without the host, it has no IPv6, and so no table for it.
  package var knownToBridge: [IPAddress] {
    guard isOnBridge, accessVLAN == nil else { return [] }
    return neighbourAddresses.filter { $0.isV4 || !isWithoutHost }
  }

  /// Its addresses, with the further ones and those of its interfaces in VLANs.
  package var everyAddress: [IPAddress] {
    neighbourAddresses + subinterfaces.compactMap { $0.address.map { .v4($0) } }
  }
}

extension DesiredNetwork {
  /// The gateways of its services' default routes, of every family.
  package var gateways: [IPAddress] { [.v4(gateway)] + (ipv6.map { [.v6($0.gateway)] } ?? []) }
  /// The host's addresses in it: the same, but for macvlan networks and those without the host, whose gateway is another machine.
  package var hostAddresses: [IPAddress] { hasBridge && hasHost ? gateways : [] }
  /// Its ranges, of every family.
  package var subnets: [IPPrefix] { [.v4(subnet)] + (ipv6.map { [.v6($0.subnet)] } ?? []) }
}

extension DesiredNetwork {
  /// Its ranges with those of its VLANs.
  package var allSubnets: [IPPrefix] { (subnets + vlans.compactMap(\.subnet).map { .v4($0) }).uniqued() }
}
