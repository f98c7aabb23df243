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
  /// How `stack verify` looks; nil for as it does by itself.
  package var verification: VerificationSettings?

  package init() {}

  /// True without rules and closed networks: then the defaults decide.
  package var isEmpty: Bool { rules.isEmpty && closedNetworks.isEmpty }
}

/// What `verify:` in a file says of stacks whose network daemons and people change.
package struct VerificationSettings: Codable, Hashable, Sendable {
  /// True if the routes, addresses and bridges that are in the namespaces are what is predicted from.
  package var isLive = false
  /// How long `up --verify` waits until two looks agree; nil for not at all.
  package var settle: Duration?

  package init(isLive: Bool = false, settle: Duration? = nil) {
    (self.isLive, self.settle) = (isLive, settle)
  }
}
