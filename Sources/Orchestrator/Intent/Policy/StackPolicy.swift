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
  /// The settings of `stack verify`. Nil for its defaults.
  package var verification: VerificationSettings?

  package init() {}

  /// True without rules and closed networks: then the defaults decide.
  package var isEmpty: Bool { rules.isEmpty && closedNetworks.isEmpty }
}

/// The settings under `verify:`, for stacks whose network is changed by daemons or people.
package struct VerificationSettings: Codable, Hashable, Sendable {
  /// True if predictions use the present routes, addresses and bridges of the namespaces instead of the file.
  package var isLive = false
  /// The longest time that `up --verify` waits for two verifications in a row to agree. Nil for one verification.
  package var settle: Duration?

  package init(isLive: Bool = false, settle: Duration? = nil) {
    (self.isLive, self.settle) = (isLive, settle)
  }
}
