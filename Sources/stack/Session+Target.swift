import Host
import Orchestrator
import Vocabulary

/// Stacks and services that words of a command line mean.
extension Session {
  /// A stack, with the instances that are meant; all of the stack's when empty.
  struct Target {
    var stack: String
    var services: [String] = []
  }

  /// A word that names a file: it has a slash or a full stop, as everywhere.
  static func isFile(_ word: String) -> Bool { word == "-" || word.contains("/") || word.contains(".") }

  /// A stack's name, from its name, from its file, or of the one that is meant where none is named.
  func stackName(_ text: String?) throws -> String {
    guard let text, Self.isFile(text) else { return try context.index.stack(named: text ?? stack) }
    return try context.load(LoadRequest(paths: [text])).name
  }

  /// The stacks that a list shows: the one that is named, those of the folder, or all that are up.
  func listed(_ words: [String] = []) throws -> [Target] {
    if words.isEmpty, stack == nil { return try context.listedStacks().map { Target(stack: $0) } }
    return try targets(words)
  }

  /// Warns where the folder's stack is not up, for commands that then have nothing to do, as with Compose.
  ///
  /// - Returns: true if it has warned.
  func hasNothing(_ purpose: String) throws -> Bool {
    guard stack == nil, let scope = context.scope, try context.listedStacks().isEmpty else { return false }
    let titles = scope.projects.map { "\($0.name) (\($0.shown))" }.joined(separator: ", ")
    standardError("", "warning: stack \(titles) is not up: there is nothing to \(purpose)")
    return true
  }

  /// The stacks and services that words mean. Each word is a file, a service, or a stack.
  func targets(_ words: [String]) throws -> [Target] {
    guard !words.isEmpty else { return [Target(stack: try context.index.stack(named: stack))] }
    var targets: [Target] = []
    for word in words {
      let target = try target(word)
      guard let known = targets.firstIndex(where: { $0.stack == target.stack }) else {
        targets.append(target)
        continue
      }
      // Of a stack and one of its services, the stack is more.
      let isWhole = targets[known].services.isEmpty || target.services.isEmpty
      targets[known].services = isWhole ? [] : targets[known].services + target.services
    }
    return targets
  }

  /// True for `shop/web`, where shop is a stack that is up.
  private func isPlace(_ word: String) -> Bool {
    guard let slash = word.firstIndex(of: "/") else { return false }
    return context.index.names().contains(String(word[..<slash]))
  }

  private func target(_ word: String) throws -> Target {
    if Self.isFile(word), !isPlace(word) { return Target(stack: try stackName(word)) }
    let isStack = stack == nil && context.index.names().contains(word)
    let places: [StackIndex.Place]
    do {
      places = try context.index.places(of: word, in: stack)
    } catch {
      guard isStack else { throw error }
      return Target(stack: word)
    }
    guard let first = places.first else { return Target(stack: try context.index.stack(named: stack)) }
    // A service of this folder comes before a stack, also the folder's own, as Compose's users expect. A stack comes before
    // services of stacks that are not meant.
    guard !isStack || context.scope != nil else { return Target(stack: word) }
    return Target(stack: first.stack, services: places.map(\.service))
  }
}
