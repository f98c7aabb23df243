import FoundationEssentials
import ImageFormat

/// The JSON form of an instruction's arguments: `["a", "b"]`.
enum JSONWords: Equatable {
  case words([String])
  /// An array that holds something else than texts.
  case otherValues
  /// It begins like an array, and is none: the shell form.
  case malformed
  case absent

  init(_ text: String) {
    guard text.hasPrefix("[") else {
      self = .absent
      return
    }
    guard let values = try? JSONDecoder().decode([JSONValue].self, from: Data(text.utf8)) else {
      self = .malformed
      return
    }
    var words: [String] = []
    for value in values {
      guard case .text(let word) = value else {
        self = .otherValues
        return
      }
      words.append(word)
    }
    self = .words(words)
  }
}
