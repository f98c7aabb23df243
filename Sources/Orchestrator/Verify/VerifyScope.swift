import Intent
import Vocabulary

/// The part of a stack that is verified.
package struct VerifySelection: Sendable {
  /// Services, instances, `host` or `internet`: checks between two of them, or with the one that is named. Empty for all.
  package var only: [String] = []
  /// True if only the lines of `expect:` are looked at.
  package var expectationsAlone = false
  /// True if predictions use the present routes, addresses and bridges of the namespaces instead of the file.
  package var isLive = false

  package init() {}
}

/// The cells of a stack that a selection means.
struct VerifyScope {
  private let selection: VerifySelection
  /// By the name of an instance: whether it is one of those that are named.
  private let named: Set<String>
  private let expectations: [PolicyRule]
  private let members: ExpectationMembers

  init(_ selection: VerifySelection, of stack: DesiredStack, _ members: ExpectationMembers) {
    self.selection = selection
    self.members = members
    let only = Set(selection.only)
    named = Set(
      stack.services.filter { only.contains($0.name) || only.contains($0.service) }.map(\.name)
    ).union(only.intersection(["host", "internet"]))
    expectations = stack.policy.expectations
  }

  func contains(_ source: ReachPeer, _ column: ReachColumn) -> Bool {
    guard isNamed(source, column) else { return false }
    return !selection.expectationsAlone || expectations.contains { members.concerns($0, source, column) }
  }

  private func isNamed(_ source: ReachPeer, _ column: ReachColumn) -> Bool {
    guard !selection.only.isEmpty else { return true }
    let destination: String =
      switch column.target {
      case .service(let name, _, _), .linked(let name, _, _), .loopback(let name), .published(_, let name): name
      case .host: "host"
      case .internet: "internet"
      }
    let isSource = named.contains("\(source)")
    let isDestination = named.contains(destination)
    return selection.only.count == 1 ? isSource || isDestination : isSource && isDestination
  }
}
