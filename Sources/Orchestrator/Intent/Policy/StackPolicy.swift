import Vocabulary

/// The rules on who may talk to whom in a stack. They stand apart from services and networks, so that a change of them
/// changes the firewall alone.
package struct StackPolicy: Usual, Sendable {
  /// The rules in the order of the file. The first that matches a packet decides.
  package var rules: [PolicyRule] = []
  /// The networks with `default: deny`, sorted.
  package var closedNetworks: [String] = []
  /// The rules under `expect:`, which `stack verify` checks and nothing enforces.
  package var expectations: [PolicyRule] = []

  package init() {}

  /// True without rules and closed networks: then the defaults decide.
  package var isEmpty: Bool { rules.isEmpty && closedNetworks.isEmpty }
}
