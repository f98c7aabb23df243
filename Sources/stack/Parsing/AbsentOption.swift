/// Options of Compose's commands that `stack` does not have, each with what to do instead.
enum AbsentOption {
  /// By the command.
  static let remedies: [String: [String: String]] = [
    "build": [
      "--ssh": "give the key or a token as a secret: RUN --mount=type=secret (docs/build.md)",
      "--memory": "limit it from outside: systemd-run --scope -p MemoryMax=2G stack build",
      "-m": "limit it from outside: systemd-run --scope -p MemoryMax=2G stack build",
      "--builder": "leave it out: there is one builder, which is stack itself",
      "--check": "stack build --dry-run, which reads the Dockerfile and says what is wrong with it",
      "--print": "stack config, which prints the build section of each service",
      "--provenance": "leave it out: images have no attestations here",
      "--sbom": "leave it out, and have a scanner read the image: stack save IMAGE -o image.tar",
    ],
    "commit": [
      "--change": "change the configuration in the file, or in a Dockerfile",
      "-c": "change the configuration in the file",
      "--index": "name the replica: stack commit web-2 IMAGE",
    ],
    "config": [
      "--lock-image-digests": "stack pull --lock, which writes a file that up holds to",
      "--models": "leave it out: there are no models",
      "--no-consistency": "mend what is wrong: a file with errors is not printed",
      "--no-normalize": "leave it out: there is one form of output",
      "--no-env-resolution": "leave it out, or see which variables there are: stack config --variables",
    ],
    "cp": ["--all": "copy to each replica: stack cp FILE web-1:/path, then web-2"],
    "up": ["--menu": "type the commands in another terminal: stack watch, stack logs -f"],
  ]

  /// The message about an option that is absent on purpose; nil for any other.
  static func refusal(of word: String, in command: String) -> String? {
    let name = String(word.prefix { $0 != "=" })
    return remedies[command]?[name].map { "stack \(command) has no \(name)\n  instead: \($0)" }
  }

  /// The same about the first such option of a command line.
  static func refusal(in words: [String]) -> String? {
    guard let command = words.first else { return nil }
    return words.dropFirst().prefix { $0 != "--" }.lazy.compactMap { refusal(of: $0, in: command) }.first
  }
}
