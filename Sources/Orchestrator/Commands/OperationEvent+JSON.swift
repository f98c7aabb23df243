import Supervision

extension OperationEvent {
  /// One JSON object on a line, for `--progress json`.
  package var jsonLine: String { JSONText.line(self) }
}
