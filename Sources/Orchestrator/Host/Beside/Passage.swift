import Kernel
import Netfilter
import Netlink

/// Accept rules for a stack's packets in another program's firewall that drops what it does not know. They stand in the
/// chain that this program keeps for others, under the stack's name, until the stack is down.
///
/// Only Docker's DOCKER-USER is used without being asked: it is there for such rules (docs.docker.com, "Packet
/// filtering and firewalls"). A rule equals the one of `iptables -I DOCKER-USER -i BRIDGE -j ACCEPT`, so iptables still
/// reads its table.
package struct Passage {
  /// A chain that other programs leave to the host's administrator, or that stands first of theirs.
  package struct Gate: Hashable {
    package var table: NftTableName
    package var chain: String
    /// By which links packets come to it, or leave after it.
    var fields: [NftField] = [.inputInterface, .outputInterface]
  }

  package static let docker = [
    Gate(table: NftTableName(.ip, "filter"), chain: "DOCKER-USER"),
    Gate(table: NftTableName(.ip6, "filter"), chain: "DOCKER-USER"),
  ]
  /// Used when asked for: firewalld has no chain for others, and no other way to its trusted zone than its own bus.
  package static let firewalld = [
    Gate(table: NftTableName(.inet, "firewalld"), chain: "filter_FORWARD"),
    Gate(table: NftTableName(.inet, "firewalld"), chain: "filter_INPUT", fields: [.inputInterface]),
  ]

  /// True if this host has Docker's chain for others.
  package static func isThere() throws(KernelError) -> Bool {
    var socket = try NetlinkSocket(.netfilter)
    for gate in docker where try socket.chains(of: gate.table).contains(gate.chain) { return true }
    return false
  }

  package let stack: String
  package let bridges: [String]

  package init(stack: String, bridges: [String]) {
    self.stack = stack
    self.bridges = bridges
  }

  var comment: String { "stack:\(stack)" }

  package func rules(at gate: Gate) -> [NftRule] {
    bridges.flatMap { bridge in
      gate.fields.map { field in
        NftRule([.field(field, .interface(bridge))], [.counter, .accept], comment: comment)
      }
    }
  }

  /// The change that a gate needs.
  ///
  /// - Parameter existing: the rules of the gate's table.
  /// - Returns: nil when all is as it should be.
  package func change(at gate: Gate, existing: [NftRuleSummary]) -> NftTransaction? {
    let own = existing.filter { $0.chain == gate.chain && $0.comment == comment }
    let rules = rules(at: gate)
    guard own.count != rules.count || own.contains(where: { $0.outcome != .accept }) else { return nil }
    var transaction = NftTransaction()
    for rule in own { transaction.deleteRule(rule.handle, of: gate.chain, in: gate.table) }
    for rule in rules { transaction.insert(rule, atTheHeadOf: gate.chain, in: gate.table) }
    return transaction
  }

  /// Takes back what stands at a gate for the stack; nil when nothing does.
  static func removal(of stack: String, at gate: Gate, existing: [NftRuleSummary]) -> NftTransaction? {
    Passage(stack: stack, bridges: []).change(at: gate, existing: existing)
  }
}

extension NetfilterConnection {
  /// Lets a stack's bridges through at those gates that are there.
  ///
  /// - Returns: the gates where something was changed.
  @discardableResult
  package func open(_ passage: Passage, at gates: [Passage.Gate]) throws(KernelError) -> [Passage.Gate] {
    let tables = try Set(tables().map(\.name))
    var changed: [Passage.Gate] = []
    for gate in gates where tables.contains(gate.table) {
      guard try chains(of: gate.table).contains(gate.chain),
        let transaction = passage.change(at: gate, existing: try rules(of: gate.table))
      else { continue }
      try commit(transaction)
      changed.append(gate)
    }
    return changed
  }

  /// Takes back what was let through for a stack, at any gate.
  @discardableResult
  package func close(
    _ stack: String, at gates: [Passage.Gate] = Passage.docker + Passage.firewalld
  ) throws(KernelError) -> [Passage.Gate] {
    let tables = try Set(tables().map(\.name))
    var changed: [Passage.Gate] = []
    for gate in gates where tables.contains(gate.table) {
      guard let transaction = Passage.removal(of: stack, at: gate, existing: try rules(of: gate.table)) else {
        continue
      }
      try commit(transaction)
      changed.append(gate)
    }
    return changed
  }
}
