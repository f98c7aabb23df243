/// One thing that the result of a step depends upon. A step's key is made from all of them.
package struct StepPart: Sendable, Hashable, Codable {
  package enum Kind: String, Sendable, Codable {
    /// The digest that the stage begins with.
    case base
    /// The instruction with its values.
    case instruction
    /// The contents of a heredoc, by its name: a digest.
    case heredoc
    /// An ARG.
    case argument
    /// A variable of ENV.
    case variable
    /// The working folder, the user, the shell, the network …
    case setting
    /// Files of the context, of a stage or an image, by where they come from: a digest.
    case files
  }

  package var kind: Kind
  package var name: String
  package var value: String

  package init(_ kind: Kind, _ name: String, _ value: String) {
    (self.kind, self.name, self.value) = (kind, name, value)
  }
}
