/// The values that `$NAME` stands for: the caller's environment over the `.env` file beside the stack.
package struct Variables: Sendable {
  var environment: [String: String]
  var dotenv: [String: String] = [:]

  package subscript(name: String) -> String? { environment[name] ?? dotenv[name] }

  /// The parts of a value that lists something; none when there is no such variable.
  package func list(_ name: String, separator: Character) -> [String] {
    self[name]?.split(separator: separator).map(String.init) ?? []
  }

  /// All of them, by name.
  package var all: [(name: String, value: String)] {
    dotenv.merging(environment) { $1 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The names that a mistyped name is compared with.
  var names: [String] { (Array(environment.keys) + Array(dotenv.keys)).sorted() }
}

/// A variable that a file refers to: what `stack config --variables` lists.
package struct VariableUse: Sendable, Hashable {
  package var name: String
  package var isRequired = false
  /// The word after `-` or `:-`.
  package var defaultValue: String?
  /// The word after `+` or `:+`.
  var alternateValue: String?
}
