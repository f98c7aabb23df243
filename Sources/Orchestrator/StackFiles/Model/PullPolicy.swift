import Vocabulary

extension StackFile {
  /// The condition under which an image is fetched, or built.
  package enum PullPolicy: Sendable, Hashable {
    case always, missing, never
    case ifNotPresent
    /// It is built each time that its service is brought up.
    case build
    /// It is fetched once it is older than this. The text is as it is written: `daily`, `every_12h`.
    case every(Duration, text: String)

    static let words = [
      "always", "missing", "if_not_present", "never", "build", "daily", "weekly", "every_12h",
    ]

    init?(_ text: String) {
      switch text {
      case "always": self = .always
      case "missing": self = .missing
      case "if_not_present": self = .ifNotPresent
      case "never": self = .never
      case "build": self = .build
      case "daily": self = .every(.seconds(86_400), text: text)
      case "weekly": self = .every(.seconds(7 * 86_400), text: text)
      default:
        guard text.hasPrefix("every_"), let age = try? DurationText.parse(String(text.dropFirst(6))), age > .zero
        else { return nil }
        self = .every(age, text: text)
      }
    }

    /// As it is written.
    package var text: String {
      switch self {
      case .always: "always"
      case .missing: "missing"
      case .ifNotPresent: "if_not_present"
      case .never: "never"
      case .build: "build"
      case .every(_, let text): text
      }
    }
  }
}
