import Testing
@testable import Intent
@testable import Netfilter
@testable import Rules

/// A table that a transaction declares is seen by others for a moment, so each carries its owner's mark.
@Suite struct TableOwnerTests {
  private static let text = """
    name: shop
    services:
      web: {command: [x], ports: ["8080:80"]}
    """

  @Test func everyDeclaredTableNamesItsOwner() throws {
    let stack = try resolve(Self.text)
    let transactions = [
      Firewall(stack).transaction, Firewall.removal(of: "shop"), PartitionFilter(stack).transaction,
      LossFilter.removal("shop", "web"),
    ]
    for transaction in transactions {
      let comments = transaction.steps.compactMap { step -> String?? in
        guard case .declare(_, let comment) = step else { return nil }
        return .some(comment)
      }
      #expect(!comments.isEmpty)
      #expect(comments.allSatisfy { $0 == "stack:shop" })
    }
  }
}
