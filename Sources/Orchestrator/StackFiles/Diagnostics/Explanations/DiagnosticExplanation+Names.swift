extension DiagnosticExplanation {
  /// E0600: names.
  static let names: [DiagnosticExplanation] = [
    .init(
      .badDomain, "a domain has a label or a length that is not allowed",
      """
      A domain is made of labels of 1 to 63 characters with dots between, 253 characters in all (RFC 1035).
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            dns_search: [lab..example]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            dns_search: [lab.example]
        """)
  ]
}
