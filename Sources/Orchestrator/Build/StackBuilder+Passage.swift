import Addresses
import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Vocabulary

extension StackBuilder {
  /// Lets the stack's bridges through where Docker is, and where firewalld is if somebody has asked for it.
  func openPassage(for desired: DesiredStack) throws(KernelError) {
    let passage = Passage(stack: stack, bridges: desired.bridges)
    try netfilter.open(passage, at: gates)
  }

  /// Docker's chains for others, and firewalld's where that was asked for.
  package var gates: [Passage.Gate] {
    Passage.docker + (Files.exists(folder.firewalldPassage) ? Passage.firewalld : [])
  }

  func closePassage() throws(KernelError) {
    try netfilter.close(stack)
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
      // A kernel that does not count connections has the table without the chain for that.
      let isCounting = try netfilter.chains(of: table.name).contains(Firewall.connectionShare)
      let chains = table.chains.filter { isCounting || $0.name != Firewall.connectionShare }
      if try netfilter.rules(of: table.name).count != chains.reduce(0, { $0 + $1.rules.count }) {
        missing.append("rules of table \(table.name)")
      }
    }
    let passage = Passage(stack: stack, bridges: desired.bridges)
    for gate in gates where tables.contains(where: { $0.name == gate.table }) {
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
