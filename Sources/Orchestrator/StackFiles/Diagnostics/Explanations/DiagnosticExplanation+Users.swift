extension DiagnosticExplanation {
  /// E0640 and E0641: user namespaces.
  static let users: [DiagnosticExplanation] = [
    .init(
      .privilegedInUserNamespace,
      "a service is to be privileged in a user namespace, where nobody is",
      """
      `privileged: true` asks for all rights over the host. Root of a user namespace has none of them. For
      single rights write `cap_add`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            privileged: true
            userns_mode: private
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            cap_add: [NET_ADMIN]
            userns_mode: private
        """),
    .init(
      .userBeyondNamespace, "a user or group is beyond the ids of a user namespace",
      """
      A user namespace of a service has the ids 0 to 65535. Choose a smaller id, or give the service the
      host's users: `userns_mode: host`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            user: "100000"
            userns_mode: private
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            user: "1000"
            userns_mode: private
        """),
  ]
}
