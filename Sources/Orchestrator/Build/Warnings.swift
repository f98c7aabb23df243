import Synchronization

/// What is to be said though it stops nothing: told once, to whoever asked for what is being done.
package final class Warnings: Sendable {
  private struct State {
    var untold: [String] = []
    var known: Set<String> = []
  }

  private let state = Mutex(State())

  /// - Parameter topic: what the warning is about: of each topic only the first is told.
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
