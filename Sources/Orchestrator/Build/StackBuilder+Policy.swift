import Addresses
import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules

extension StackBuilder {
  /// Writes the stack's table. Rules that were there before go on counting from what they had.
  func writeFirewall(of desired: DesiredStack) throws(KernelError) {
    if !firewall.change(to: desired, over: netfilter) { try replaceFirewall(with: desired) }
    try forgetStaleConnections(desired)
  }

  private func replaceFirewall(with desired: DesiredStack) throws(KernelError) {
    let table = NftTableName(.inet, StackTable.name(of: stack))
    let counts = desired.policy.rules.isEmpty ? [] : try netfilter.counters(of: table)
    let base = try netfilter.generation()
    var sharesConnections = true
    do throws(KernelError) {
      try netfilter.commit(Firewall(desired, counts: counts).transaction)
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notSupported {
      try netfilter.commit(Firewall(desired, counts: counts, sharesConnections: false).transaction)
      sharesConnections = false
      warnings.add(
        "services have no shares of the host's table of connections: the kernel does not count them"
          + " (CONFIG_NFT_CONNLIMIT)", about: "connections")
    }
    // A change by anybody else meanwhile may be one of these tables.
    let generation = base.map { NetfilterConnection.generation(after: $0) }
    if let generation, try netfilter.generation() == generation {
      firewall.note(desired, sharesConnections: sharesConnections, generation: generation)
    }
  }

  /// Has each bridge show the frames that it passes on to the firewall, or no longer: those that rules may be about, and by
  /// an attribute of the bridge alone. The host's own setting for all bridges (bridge-nf-call-iptables) stays as it is.
  func filter(
    _ networks: [DesiredNetwork], by policy: StackPolicy, of desired: DesiredStack
  ) throws(KernelError) {
    let filtered = policy.filteredNetworks(of: desired)
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    for network in networks {
      var change = LinkChange(.name(network.bridge))
      change.callsIPTables = filtered.contains(network.name)
      change.callsIP6Tables = filtered.contains(network.name)
      batch.change(change)
    }
    try socket.apply(batch)
  }

  /// Ends the connections that a stack's rules no longer let begin: the kernel forgets them, and their next packet is refused.
  func endFlows(against desired: DesiredStack) throws(KernelError) {
    let policy = PolicyEvaluator(desired)
    var links = try NetlinkSocket(.route)
    let own = Set(try links.addresses().map(\.address))
    try netfilter.forgetConnections { connections in
      connections.filter { policy.decision(on: $0, hostAddresses: own).map { !$0.isAllowed } ?? false }
    }
  }
}

extension PolicyEvaluator {
  /// The rules' decision on a connection; nil for one without the stack's services.
  func decision(on connection: Connection, hostAddresses: Set<IPAddress>) -> PolicyDecision? {
    // Answers come from where the packets really go.
    let port = connection.reply.sourcePort ?? 0
    let packet: PolicyPacket =
      switch connection.transport {
      case 6: .tcp(port)
      case 17: .udp(port)
      case 1, 58: .icmp
      default: .other(connection.transport)
      }
    return decision(
      from: connection.original.source, to: connection.reply.source, packet,
      isPublished: connection.original.destination != connection.reply.source, hostAddresses: hostAddresses)
  }
}
