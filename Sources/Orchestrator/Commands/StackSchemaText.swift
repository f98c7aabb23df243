import StackFiles

/// The JSON Schema of stack files.
package enum StackSchemaText {
  package static var text: String { StackSchema.text }
}
