/// Commands of Compose that `stack` does not have, each with what to do instead.
enum AbsentCommand {
  static let remedies: [String: String] = [
    "publish": "stack config --resolve-image-digests >compose.yaml, and push that file with the images (stack push)",
    "bridge": "stack config >compose.yaml, and give that file to a converter such as kompose",
    "alpha": "nothing here is experimental: stack --help lists all commands",
  ]

  /// The message about a command that is absent on purpose; nil for any other word.
  static func refusal(of word: String) -> String? {
    remedies[word].map { "stack has no command \"\(word)\"\n  instead: \($0)" }
  }
}
