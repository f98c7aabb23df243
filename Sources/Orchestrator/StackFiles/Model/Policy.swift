import Vocabulary

extension StackFile {
  /// One item of `policies:` or `expect:`, with the places of its parts.
  package struct Rule: Sendable, Equatable {
    var action: PolicyRule.Action
    /// Never empty, as the destinations.
    var sources: [Located<PolicyPeer>]
    var destinations: [Located<PolicyPeer>]
    /// Empty for everything.
    var ports: [Located<PortSelector>]
    /// As it is written after the action.
    var text: Located<String>

    package var desired: PolicyRule {
      PolicyRule(
        action, from: sources.map(\.value), to: destinations.map(\.value), ports: ports.map(\.value),
        text: text.value, declaredAt: SourceLine(text.span.place))
    }
  }
}
