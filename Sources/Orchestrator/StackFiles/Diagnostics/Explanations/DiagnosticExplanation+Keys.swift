extension DiagnosticExplanation {
  /// E0030 to E0038: keys and the shapes of their values.
  static let keys: [DiagnosticExplanation] = [
    .init(
      .unknownKey, "a key has no meaning here",
      """
      An unknown key is an error, because a misspelt key would otherwise be ignored in silence. Keys that
      begin with `x-` are free for notes and anchors.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            hostnme: front
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            hostname: front
        """),
    .init(
      .notSupported, "a key or value of Compose that stack does not implement",
      """
      Compose knows the key, and `stack` does not implement it. It is refused, because ignoring it would
      change what the file means.
      """,
      wrong: """
        services:
          web:
            image: web:1
            credential_spec: {file: a}
        """,
      mended: """
        services:
          web:
            image: web:1
        """),
    .init(
      .wrongShape, "a value has the wrong shape: a mapping, a list, a number or text is needed",
      """
      The value has another shape than the key takes. Note that `yes` and `no` are text in YAML 1.2:
      write `true` and `false`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: 8080:80
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
        """),
    .init(
      .missingKey, "a key that is needed is missing",
      """
      The mapping needs a key that has no default. The message names it.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            healthcheck: {interval: 5s}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            healthcheck: {test: [CMD, "true"], interval: 5s}
        """),
    .init(
      .badChoice, "the value is not one of those possible",
      """
      The key takes one of a few words. The message lists them.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            restart: allways
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            restart: always
        """),
    .init(
      .emptyText, "a value is empty",
      """
      The key needs a value. To get the default, leave the key out.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            cap_add: [""]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            cap_add: [NET_RAW]
        """),
    .init(
      .ignoredKey, "the key is accepted and has no effect",
      """
      Compose files often have this key, and leaving it out changes nothing here. The note can be ignored.
      """,
      wrong: """
        version: "3.8"
        services:
          web:
            command: [sleep, infinity]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
        """),
    .init(
      .conflictingKeys, "two keys exclude each other, or one is given twice",
      """
      Both keys say the same thing in different ways, or one makes the other meaningless. Keep one of them.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            scale: 2
            deploy: {replicas: 3}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            scale: 3
        """),
    .init(
      .nothingToRun, "a service has neither a command nor an entrypoint",
      """
      A service has no image that could bring a command. So the file must name the program.
      """,
      wrong: """
        services:
          web:
            hostname: front
        """,
      mended: """
        services:
          web:
            hostname: front
            command: [sleep, infinity]
        """),
  ]
}
