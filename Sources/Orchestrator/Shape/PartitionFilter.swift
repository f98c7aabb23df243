import Netlink

/// What keeps groups of services apart that were cut off from each other by hand: both what is bridged between them and what the
/// host passes on, a published port of the one for the other included.
///
/// The tables stand beside the stack's own, so that neither is written anew for the other, and know services by their addresses.
struct PartitionFilter {
  private let stack: DesiredStack

  init(_ stack: DesiredStack) {
    self.stack = stack
  }

  /// `inet stack-web/partition` for what is routed, `bridge stack-web/partition` for what is bridged.
  static func names(_ stack: String) -> [NftTableName] {
    [.inet, .bridge].map { NftTableName($0, "\(Firewall.tableName(stack))/partition") }
  }

  /// Puts the tables in the place of former ones, or takes those away.
  var transaction: NftTransaction {
    var transaction = NftTransaction()
    for name in Self.names(stack.name) { transaction.deleteIfPresent(name) }
    for table in tables { transaction.add(table) }
    return transaction
  }

  var tables: [NftTable] {
    guard let groups = stack.partition else { return [] }
    return Self.names(stack.name).map { name in
      NftTable(
        name.family, name.name, comment: "stack:\(stack.name)",
        chains: [
          NftChain(
            "forward", base: NftBase(.filter, .forward, priority: -10),
            rules: groups.indices.flatMap { from in
              groups.indices.filter { $0 != from }.map { to in
                NftRule(
                  [.set([.ipSource], named: "group\(from)"), .set([.ipDestination], named: "group\(to)")],
                  [.counter, .drop])
              }
            })
        ],
        sets: groups.enumerated().map { index, names in
          NftSet(
            "group\(index)", key: [.ipv4Address],
            elements: names.flatMap { stack.service(named: $0)?.attachments ?? [] }
              .flatMap { [$0.address] + $0.subinterfaces.compactMap(\.address) }.map { NftElement(.address(.v4($0))) },
            comment: String(names.joined(separator: ",").prefix(100)))
        })
    }
  }
}
