import Synchronization

/// Warnings of a plan: each is told once, to the command that asked for the plan.
package final class Warnings: Sendable {
  private struct State {
    var untold: [String] = []
    var known: Set<String> = []
  }

  private let state = Mutex(State())

  /// - Parameter topic: the subject of the warning. Of each subject, only the first warning is told.
  package func add(_ text: String, about topic: String) {
    state.withLock { state in
      if state.known.insert(topic).inserted { state.untold.append(text) }
    }
  }

  package func take() -> [String] {
    state.withLock { state in
      defer { state.untold = [] }
      return state.untold
    }
  }
}
