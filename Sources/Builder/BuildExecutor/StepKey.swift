import Digests
import ImageReference

/// The key of a step's result: all that it depends on, by name.
struct StepKey {
  /// Values by what people know them by: `argument VERSION`, `file src/app.py`.
  private(set) var inputs: [String: String]
  /// Counts of all keys, so that a change of what steps do makes new ones.
  private static let version = "1"

  init(_ instruction: String, on state: StageState) {
    inputs = ["instruction": instruction, "base": state.files]
  }

  subscript(_ name: String) -> String? {
    get { inputs[name] }
    set { inputs[name] = newValue }
  }

  /// In letters and digits.
  func digest() throws(LibraryError) -> String {
    var bytes = Array(Self.version.utf8)
    for (name, value) in inputs.sorted(by: { $0.key < $1.key }) {
      for text in [name, value] { bytes += Array("\(text.utf8.count):\(text)".utf8) }
    }
    return try ContentHash.digest(of: bytes).hex
  }
}
