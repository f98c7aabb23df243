import Planning
import Vocabulary

/// Something that happened while an operation went on.
package struct OperationEvent: Codable, Hashable, Sendable {
  package enum Kind: String, Codable, Sendable {
    /// The plan: the change to each service.
    case plan
    /// A service changed: `text` says into what.
    case service
    /// The progress of something that takes long. It is soon out of date.
    case progress
    /// Something to be told, that stops nothing.
    case warning
    case finished
    case failed
    /// The user did not want to wait any longer: `text` says what has become of what was begun.
    case cancelled
  }
  package var kind: Kind
  package var service: String?
  package var text: String
  /// The changes of a plan.
  package var changes: [Plan.Reason] = []
  /// The errors, with the last event.
  package var errors: [StackError]

  package init(_ kind: Kind, service: String? = nil, text: String = "", errors: [StackError] = []) {
    self.kind = kind
    self.service = service
    self.text = text
    self.errors = errors
  }

  init(_ changes: [Plan.Reason]) {
    self.init(.plan)
    self.changes = changes
  }
}
