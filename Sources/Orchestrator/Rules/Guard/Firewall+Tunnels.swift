import Intent
import Netfilter

/// Whose frames come by a tunnel: the other host's. The kernel takes in those of whoever knows the port and the number.
extension Firewall {
  /// Where fragments have been put together, and before what belongs to known connections is let in: so the tunnels of others on the
  /// same port are left alone.
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
