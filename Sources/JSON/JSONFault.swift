/// A place at which a text is no JSON.
struct JSONFault: Error, Hashable, CustomStringConvertible {
  enum Reason: String {
    case end = "the text ends early"
    case unexpected = "an unexpected character"
    case escape = "a bad escape in a string"
    case encoding = "a string that is not UTF-8"
    case number = "a bad number"
    case depth = "more than 512 levels"
    case size = "more than 4 GB"
    case rest = "more text after the value"
  }

  let reason: Reason
  /// In bytes from the beginning.
  let place: Int

  var description: String { "\(reason.rawValue) at byte \(place)" }
}
