extension DiagnosticExplanation {
  /// E0501 to W0508: the rules of `policies:` and `expect:`.
  static let rules: [DiagnosticExplanation] = [
    .init(
      .badRule, "a rule is not `allow:` or `deny:` with `from -> to`",
      """
      A rule has one of the keys `allow` and `deny`. Its value is `from -> to`, with ports after the name on
      the right.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - alow: web -> db
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web -> db
        """),
    .init(
      .badPeer, "an end of a rule cannot be understood",
      """
      An end is a service, a pattern with `*`, `network:front`, `label:tier=web`, an address or subnet,
      `any`, `host` or `internet`. Several are separated by commas.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web,, -> db
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web -> db
        """),
    .init(
      .badRulePort, "a port of a rule cannot be understood",
      """
      Ports of a rule are numbers or ranges with commas between, and `/udp` or `/tcp` after them. Ping is
      written `db:icmp`.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web -> db:http
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web -> db:80
        """),
    .init(
      .undefinedPeer, "a rule names a service or network that does not exist",
      """
      A rule about nobody would protect nothing. Check the spelling of the service, replica or network.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - deny: webb -> db
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - deny: web -> db
        """),
    .init(
      .idlePeer, "a pattern, label or network of a rule matches no service",
      """
      No service matches now, so the rule decides nothing. That is allowed, since a service that matches may
      be added later. A misspelt pattern is the usual cause.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - deny: api* -> db
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - deny: web* -> db
        """),
    .init(
      .shadowedRule, "a rule decides nothing, because an earlier rule covers it",
      """
      Rules are read from the top, and the first that matches decides. Put the narrower rule first.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - deny: any -> db
          - allow: web -> db:5432
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          db: {command: [sleep, infinity]}
        policies:
          - allow: web -> db:5432
          - deny: any -> db
        """),
    .init(
      .idleRule, "a rule is about packets that never pass the stack's networks",
      """
      The firewall of a stack sees packets from or to its services. Packets between the host and the
      internet are the host's own affair. One end of a rule is a service.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
        policies:
          - deny: host -> internet
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        policies:
          - deny: web -> internet
        """),
    .init(
      .ambiguousPeer, "a service has a name that means something else in a rule",
      """
      In a rule `any`, `host` and `internet` are not services. Give the service another name if a rule is
      to be about it.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
          host: {command: [sleep, infinity]}
        policies:
          - deny: web -> host
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
          hoster: {command: [sleep, infinity]}
        policies:
          - deny: web -> hoster
        """),
  ]
}
