import Intent
import Netfilter

/// Bridges that only pass frames on: further ones of large networks, those of VLANs that have one of their own, and those of
/// networks without the host. The host is at another network's own bridge, and at none of these.
///
/// Links of the host that are ends of cables are among them: the kernel shows the host what comes in there for several
/// (macvlan_handle_frame in drivers/net/macvlan.c), such as the advertisements of routers.
extension Firewall {
  private var passing: [String] {
    stack.segments.map(\.bridge) + stack.networks.flatMap { $0.vlans.compactMap(\.bridge) }
      + whole.ownNetworks.filter { $0.hasBridge && !$0.hasHost }.flatMap(\.bridges)
      + whole.hostCables.compactMap(\.hostLink?.name)
  }

  var segmentSets: [NftSet] {
    guard !passing.isEmpty else { return [] }
    return [
      NftSet(
        "segments", key: [.interfaceName], elements: passing.map { NftElement(.interface($0)) },
        comment: "bridges that only pass frames on"),
      NftSet(
        "within_segments", key: [.interfaceName, .interfaceName],
        elements: passing.map { NftElement(.interface($0), .interface($0)) },
        comment: "from such a bridge to itself"),
    ]
  }

  /// With br_netfilter, a frame must not be seen at the first of two bridges. Connection tracking would settle its
  /// translation there, and the network's own bridge could not translate it.
  ///
  /// A packet to such a bridge's hardware address gets neither into the host nor through it.
  var segmentChains: [NftChain] {
    guard !passing.isEmpty else { return [] }
    let arriving = NftMatch.set([.inputInterface], named: "segments")
    return [
      NftChain(
        "pass_segments", base: NftBase(.filter, .prerouting, priority: -300), rules: [NftRule([arriving], .notrack)]),
      NftChain(
        "keep_in_segments", base: NftBase(.filter, .forward, priority: -1),
        rules: [
          NftRule([arriving, .set([.inputInterface, .outputInterface], .notEqual, named: "within_segments")], .drop)
        ]),
      NftChain(
        "keep_from_host", base: NftBase(.filter, .input, priority: -1), rules: [NftRule([arriving], .drop)]),
    ]
  }
}
