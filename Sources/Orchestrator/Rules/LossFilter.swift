import Intent
import Netfilter
import Vocabulary

/// Loss where the kernel has no netem: packets dropped at random as they come in at the far end of a link, where no sender
/// hears of it. What leaves a service is dropped at the host's end, what comes to it at its own.
package struct LossFilter {
  package let stack: String
  package let service: String
  /// Links of one network namespace, with how much is to be lost of what comes in by each.
  package let losses: [(link: String, share: Share)]

  package init(stack: String, service: String, losses: [(link: String, share: Share)]) {
    self.stack = stack
    self.service = service
    self.losses = losses
  }

  package static func tableName(_ stack: String, _ service: String) -> NftTableName {
    NftTableName(.netdev, "\(StackTable.name(of: stack))/\(service)")
  }

  package static func removal(_ stack: String, _ service: String) -> NftTransaction {
    var transaction = NftTransaction()
    transaction.deleteIfPresent(tableName(stack, service), comment: StackTable.comment(of: stack))
    return transaction
  }

  package var transaction: NftTransaction {
    guard let table else { return Self.removal(stack, service) }
    var transaction = NftTransaction()
    transaction.replace(table)
    return transaction
  }

  /// nil where nothing is to be lost.
  package var table: NftTable? {
    guard !losses.isEmpty else { return nil }
    return NftTable(
      .netdev, Self.tableName(stack, service).name, comment: StackTable.comment(of: stack),
      chains: losses.map { link, share in
        NftChain(
          link, base: NftBase(.filter, .ingress(device: link), priority: -500),
          rules: [NftRule([.chance(partsPerMillion: share.partsPerMillion)], [.counter, .drop])])
      })
  }
}
