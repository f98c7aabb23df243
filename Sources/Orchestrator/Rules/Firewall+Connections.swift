import Intent
import Netfilter

/// A share of the host's table of connections for each service. The table is one for all network namespaces
/// (nf_conntrack_max), and the kernel evicts no connection that was answered while it lasts.
///
/// Connections count for the hardware address that their first packet came from, which a port guard holds to its service.
/// So IPv4 and IPv6 count together, and several addresses are one service.
///
/// The kernel goes through all counted connections of a service for a new one, about half a microsecond each. So one in 16
/// is counted at first, at random. Only a service that seems to have a quarter of its share is counted exactly from then on.
/// It ends with a quarter more than its share at most.
extension Firewall {
  package static let connectionShare = "share"

  /// Hardware addresses that are counted at the same time. A guarded port has few.
  private static let mostCounted: UInt32 = 65_535
  private static let sampled: UInt32 = 16
  /// The time in which a service that has used up its share opens no connection, before it is counted anew.
  private static let pause: UInt64 = 1000
  /// The time in which a service is counted exactly. Whenever it ends, a few connections pass before the next sample.
  private static let watch: UInt64 = 3_600_000

  var connectionSets: [NftSet] {
    let most = NftSetGrowth(size: Self.mostCounted)
    let forAWhile = NftSetGrowth(size: Self.mostCounted, expires: true)
    return [
      NftSet("sampled", key: [.hardwareAddress], growth: most, comment: "one in 16 of each service's connections"),
      NftSet("watched", key: [.hardwareAddress], growth: forAWhile, comment: "services with many connections"),
      NftSet("shares", key: [.hardwareAddress], growth: most, comment: "connections of the watched"),
      NftSet(
        "used_up", key: [.hardwareAddress], growth: forAWhile,
        comment: "services without a place for another connection"),
    ]
  }

  var shareConnections: NftChain {
    let opens: [NftMatch] = [.set([.inputInterface], named: "bridges"), .state(.new)]
    return NftChain(
      Self.connectionShare, base: NftBase(.filter, .prerouting, priority: -150),
      rules: [
        NftRule(opens + [.set([.etherSource], named: "used_up")], .drop),
        NftRule(
          opens + [.set([.etherSource], named: "watched")],
          [
            .countConnections(.etherSource, in: "shares", over: stack.connectionShare),
            .remember(.etherSource, in: "used_up", milliseconds: Self.pause), .drop,
          ]),
        NftRule(
          opens + [.chance(partsPerMillion: 1_000_000 / Self.sampled)],
          [
            .countConnections(.etherSource, in: "sampled", over: stack.connectionShare / 4 / Self.sampled),
            .remember(.etherSource, in: "watched", milliseconds: Self.watch),
          ]),
      ])
  }
}
