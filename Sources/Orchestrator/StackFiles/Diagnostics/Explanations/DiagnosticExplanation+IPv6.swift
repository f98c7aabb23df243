extension DiagnosticExplanation {
  /// E0580 to E0582: IPv6.
  static let ipv6: [DiagnosticExplanation] = [
    .init(
      .networkWithoutIPv6, "IPv6 is used on a network where it is not enabled",
      """
      Networks have IPv4 alone by default. `enable_ipv6: true` adds IPv6.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv6_address: "fd00:1::5"}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv6_address: "fd00:1::5"}}
        networks:
          front:
            enable_ipv6: true
            ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
        """),
    .init(
      .portWithoutIPv6, "a port is published on an IPv6 address, and the service has no IPv6",
      """
      A published port leads to an address of the same family. Enable IPv6 in one of the service's networks,
      or publish on an IPv4 address.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            ports: ["[::1]:8080:80"]
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            ports: ["[::1]:8080:80"]
        networks:
          front: {enable_ipv6: true}
        """),
    .init(
      .sourceOfOtherFamily, "`from:` lists a source of a family in which the port is not published",
      """
      `from:` lists who may use a published port. An entry of a family in which the port is not published
      can never match.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports:
              - {target: 80, published: 8080, from: [10.0.0.0/8, "2001:db8::/32"]}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports:
              - {target: 80, published: 8080, from: [10.0.0.0/8]}
        """),
  ]
}
