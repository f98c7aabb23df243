/// The condition on another service that this one waits for before it starts.
package struct Dependency: Codable, Hashable, Sendable {
  package enum Condition: String, Codable, Hashable, Sendable {
    case started, healthy, completed
  }
  /// The service's key in the stack file.
  package var service: String
  package var condition: Condition
  /// True if the dependent does not start when the condition cannot come true.
  package var isRequired: Bool
  /// True if the dependent is restarted when a command restarts the other service or makes it anew.
  package var restartsWithIt = false

  package init(service: String, condition: Condition, isRequired: Bool, restartsWithIt: Bool = false) {
    self.service = service
    self.condition = condition
    self.isRequired = isRequired
    self.restartsWithIt = restartsWithIt
  }
}
