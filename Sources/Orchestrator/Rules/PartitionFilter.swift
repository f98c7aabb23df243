import Addresses
import Intent
import Netfilter
import Vocabulary

/// Drops packets between groups of services that were cut off from each other by hand: bridged frames, packets that the
/// host forwards, and published ports.
///
/// The tables are separate from the stack's own, so that neither is rewritten for the other. They match services by
/// address. Links between two services do not pass the host: see `StackBuilder`.
package struct PartitionFilter {
  private let stack: DesiredStack

  package init(_ stack: DesiredStack) {
    self.stack = stack
  }

  /// `inet stack-web/partition` for what is routed, `bridge stack-web/partition` for what is bridged.
  package static func names(_ stack: String) -> [NftTableName] {
    [.inet, .bridge].map { NftTableName($0, "\(StackTable.name(of: stack))/partition") }
  }

  /// Puts the tables in the place of former ones, or takes those away.
  package var transaction: NftTransaction {
    var transaction = NftTransaction()
    for name in Self.names(stack.name) {
      transaction.deleteIfPresent(name, comment: StackTable.comment(of: stack.name))
    }
    for table in tables { transaction.add(table) }
    return transaction
  }

  package var tables: [NftTable] {
    let groups = stack.partitionGroups.map(Group.init)
    guard !groups.isEmpty else { return [] }
    let families: [AddressFamily] = [.v4, .v6].filter { family in
      groups.contains { !$0.addresses(family, of: stack, isBridged: true).isEmpty }
    }
    // Addresses of a network without the host may be those of others: only at the stack's own ports are they its services'.
    let ports = stack.services.flatMap(\.attachments).flatMap(\.pairs).map(\.link)
    let stays = NftRule([.set([.inputInterface], .notEqual, named: "ports")], .accept)
    return Self.names(stack.name).map { name in
      let isBridged = name.family == .bridge
      let rules = families.flatMap { Self.rules(groups.count, $0) }
      let own = NftSet("ports", key: [.interfaceName], elements: ports.map { NftElement(.interface($0)) })
      let sides = families.flatMap { family in
        groups.enumerated().map { index, group -> NftSet in
          let addresses = group.addresses(family, of: stack, isBridged: isBridged)
          return NftSet(
            Self.set(index, family), key: [family.type], elements: addresses.map { NftElement(.address($0)) },
            comment: group.comment)
        }
      }
      return NftTable(
        name.family, name.name, comment: StackTable.comment(of: stack.name),
        chains: [
          NftChain(
            "forward", base: NftBase(.filter, .forward, priority: -10), rules: (isBridged ? [stays] : []) + rules)
        ],
        sets: (isBridged ? [own] : []) + sides)
    }
  }

  private static func rules(_ count: Int, _ family: AddressFamily) -> [NftRule] {
    (0..<count).flatMap { from in
      (0..<count).filter { $0 != from }.map { to in
        NftRule(
          [.set([family.source], named: set(from, family)), .set([family.destination], named: set(to, family))],
          [.counter, .drop])
      }
    }
  }

  private static func set(_ number: Int, _ family: AddressFamily) -> String {
    "group\(number)" + (family == .v4 ? "" : "_6")
  }

  /// One side.
  private struct Group {
    let names: [String]

    /// The kernel keeps 127 octets.
    var comment: String { String(names.joined(separator: ",").prefix(100)) }

    /// - Parameter isBridged: whether frames are looked at, and not what the host passes on. That is nothing of networks without it.
    func addresses(_ family: AddressFamily, of stack: DesiredStack, isBridged: Bool) -> [IPAddress] {
      names.compactMap { stack.service(named: $0) }.flatMap { service in
        service.attachments.filter { isBridged || !$0.isWithoutHost }.flatMap(\.everyAddress)
          + (isBridged ? service.loopback.map(\.address) : [])
      }.filter(family.holds).uniqued()
    }
  }
}
