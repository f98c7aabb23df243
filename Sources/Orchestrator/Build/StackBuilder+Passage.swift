import Addresses
import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Vocabulary

extension StackBuilder {
  /// Lets the stack's bridges through where Docker is.
  func openPassage(for desired: DesiredStack) throws(KernelError) {
    let passage = Passage(stack: stack, bridges: desired.bridges)
    try netfilter.open(passage, at: Passage.docker)
  }

  func closePassage() throws(KernelError) {
    try netfilter.close(stack)
  }

  // MARK: Bridges

  /// True if a bridge exists and was set down.
  package func isSetDown(_ bridge: String) -> Bool {
    guard var socket = try? NetlinkSocket(.route), let link = try? socket.link(named: bridge) else {
      return false
    }
    return !link.isUp
  }

  /// Sets a bridge up again, and what the kernel forgot when it was set down: the hardware addresses of its services.
  func raise(_ network: DesiredNetwork, in desired: DesiredStack) throws(KernelError) {
    let index = try linkIndex(network.bridge)
    var batch = RouteBatch()
    var up = LinkChange(.index(index))
    up.isUp = true
    batch.change(up)
    for bridge in network.vlans.compactMap(\.bridge) {
      var up = LinkChange(.name(bridge))
      up.isUp = true
      batch.change(up)
    }
    for attachment in desired.services.flatMap(\.attachments)
    where attachment.network == network.name && attachment.accessVLAN == nil {
      batch.set(Neighbour(.v4(attachment.address), at: attachment.mac, on: index))
    }
    var socket = try NetlinkSocket(.route)
    try socket.apply(batch)
  }

  // MARK: Tables

  /// The parts of the stack's nftables tables that are gone, in words for people.
  package func missing(of desired: DesiredStack) throws(KernelError) -> [String] {
    let tables = try netfilter.tables()
    let names = Set(tables.filter { Firewall.owner(of: $0.name, comment: $0.comment) == stack }.map(\.name))
    var missing: [String] = []
    var expected = Firewall(desired).tables
    if desired.partition != nil { expected += PartitionFilter(desired).tables }
    for table in expected {
      guard names.contains(table.name) else {
        missing.append("table \(table.name)")
        continue
      }
      let rules = table.chains.reduce(0) { $0 + $1.rules.count }
      if try netfilter.rules(of: table.name).count != rules { missing.append("rules of table \(table.name)") }
    }
    let passage = Passage(stack: stack, bridges: desired.bridges)
    for gate in Passage.docker where tables.contains(where: { $0.name == gate.table }) {
      guard try netfilter.chains(of: gate.table).contains(gate.chain),
        passage.change(at: gate, existing: try netfilter.rules(of: gate.table)) != nil
      else { continue }
      missing.append("rules in \(gate.chain) of table \(gate.table)")
    }
    if emulates.withLock({ $0 }) != true {
      for service in desired.services
      where service.attachments.contains(where: { $0.currentConditions.egress.loss > .none }) {
        let table = LossFilter.tableName(stack, service.name)
        if !names.contains(table) { missing.append("table \(table)") }
      }
    }
    return missing
  }
}
