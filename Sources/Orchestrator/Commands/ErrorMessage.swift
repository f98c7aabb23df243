/// An error as JSON, one object on a line: for those who asked for JSON.
package struct ErrorMessage: Encodable, Sendable {
  package var kind = "error"
  package var message: String

  package init(message: String) { self.message = message }

  package var jsonLine: String { JSONText.line(self) }
}
