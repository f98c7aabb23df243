import Vocabulary

/// The verdict on a line of `expect:`.
struct ExpectationFinding: Sendable {
  var rule: PolicyRule
  /// The objections to it, for people. Empty when it holds.
  var objections: [String]
  /// True if it was found out by sending packets: who is not of this machine cannot be made to send any.
  var isObserved: Bool
  /// The reason why the line could not be tested. Nil if it was tested.
  var obstacle: String?

  var isMet: Bool { objections.isEmpty && obstacle == nil }
}
