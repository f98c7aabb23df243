import Netlink

/// Further bridges of large networks, which only pass frames on to the network's own.
extension Firewall {
  var segmentSets: [NftSet] {
    guard !stack.segments.isEmpty else { return [] }
    return [
      NftSet(
        "segments", key: [.interfaceName], elements: stack.segments.map { NftElement(.interface($0.bridge)) },
        comment: "further bridges of large networks")
    ]
  }

  /// Where bridged frames come by here (br_netfilter), one of these is not to be seen twice: what connection tracking makes
  /// of a packet at the first bridge would hold at the network's own, which then could not translate it any more.
  var segmentChains: [NftChain] {
    guard !stack.segments.isEmpty else { return [] }
    return [
      NftChain(
        "pass_segments", base: NftBase(.filter, .prerouting, priority: -300),
        rules: [NftRule([.set([.inputInterface], named: "segments")], .notrack)])
    ]
  }
}
