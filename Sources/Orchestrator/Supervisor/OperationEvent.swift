/// Something that happened while an operation went on.
public struct OperationEvent: Codable, Hashable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// What is going to be done to each service.
    case plan
    /// A service changed: `text` says into what.
    case service
    /// Something to be told, that stops nothing.
    case warning
    case finished
    case failed
    /// The user did not want to wait any longer: `text` says what has become of what was begun.
    case cancelled
  }
  public var kind: Kind
  public var service: String?
  public var text: String
  /// For a plan: what is going to be done.
  public var changes: [Plan.Reason] = []
  /// What went wrong, with the last event.
  public var errors: [StackError]

  init(_ kind: Kind, service: String? = nil, text: String = "", errors: [StackError] = []) {
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
