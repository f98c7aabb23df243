import Vocabulary

/// The ends of a command after which the supervisor starts it again, as Compose names them.
package enum RestartPolicy: Usual, Sendable {
  case no
  case always
  /// Restarts after a failure, at most `limit` times; 0 for no limit.
  case onFailure(limit: Int)
  case unlessStopped

  package init() { self = .no }
}
