import Intent
import Netfilter

/// Accepts VXLAN packets only from a tunnel's other host. The kernel itself accepts them from any source that knows the
/// port and the VNI.
extension Firewall {
  /// The hook runs after reassembly of fragments and before packets of known connections are accepted. Tunnels of
  /// others on the same port are left alone.
  var tunnelChains: [NftChain] {
    let tunnels = stack.networks.compactMap(\.tunnel)
    guard !tunnels.isEmpty else { return [] }
    return [
      NftChain(
        "tunnels", base: NftBase(.filter, .input, priority: -1),
        rules: tunnels.flatMap { tunnel -> [NftRule] in
          let isOfTunnel: [NftMatch] = [
            .field(.transportProtocol, .udp), .field(.destinationPort, .port(tunnel.port)),
            .field(.tunnelNumber, .tunnel(tunnel.id)),
          ]
          let remote = AddressFamily(tunnel.remote)
          let other: NftFamily = remote == .v4 ? .ip6 : .ip
          return [
            NftRule(isOfTunnel + [.field(.networkFamily, .family(other))], .drop),
            NftRule(isOfTunnel + [.field(remote.source, .notEqual, .address(tunnel.remote))], .drop),
          ]
        })
    ]
  }
}
