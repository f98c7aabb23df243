/// One thing that was looked at on a host: what there is, and what to do where something lacks.
package struct HostFinding: Hashable, Sendable {
  package enum Verdict: Hashable, Sendable {
    /// As stacks need it.
    case good
    /// Stacks come up, but the reader should know.
    case notice
    /// Without it stacks do not come up.
    case missing
  }

  package var verdict: Verdict
  package var text: String
  /// The remedy, in a line or a few.
  package var remedy: String?

  init(_ verdict: Verdict, _ text: String, remedy: String? = nil) {
    self.verdict = verdict
    self.text = text
    self.remedy = remedy
  }
}
