import Vocabulary

/// Who may talk to whom in a stack. Apart from services and networks, so that a change of it changes the firewall alone.
package struct StackPolicy: Usual, Sendable {
  /// In the order of the file: the first that is about a packet decides.
  package var rules: [PolicyRule] = []
  /// The networks with `default: deny`, sorted.
  package var closedNetworks: [String] = []
  /// What the file says must be true: `stack verify` looks whether it is.
  package var expectations: [PolicyRule] = []

  package init() {}

  /// Whether there is anything to decide that is not so by itself.
  package var isEmpty: Bool { rules.isEmpty && closedNetworks.isEmpty }
}
