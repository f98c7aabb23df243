extension DiagnosticExplanation {
  /// E0301 to E0307: subnets and addresses.
  static let addresses: [DiagnosticExplanation] = [
    .init(
      .unusableSubnet, "a subnet has no room for services, or is reserved",
      """
      An IPv4 subnet has a prefix of 8 to 30 bits, an IPv6 subnet one of 16 to 126. Loopback, multicast and
      link-local ranges are refused. Private ranges are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {subnet: 10.1.0.0/31}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {subnet: 10.1.0.0/29}
        """),
    .init(
      .overlappingSubnets, "two networks have addresses in common",
      """
      The host routes each subnet to one bridge, so two networks cannot share addresses. Leave `subnet` out
      and a free one is chosen.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          front: {subnet: 10.1.0.0/16}
          back: {subnet: 10.1.5.0/24}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          front: {subnet: 10.1.0.0/16}
          back: {subnet: 10.2.5.0/24}
        """),
    .init(
      .outsideSubnet, "an address or range is outside the network's subnet",
      """
      A service's fixed address, a gateway and an `ip_range` are parts of the network's subnet.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.2.0.5}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .reservedAddress, "an address is the network's own, its broadcast address or its gateway",
      """
      The first address of a subnet names the network, and the last is its broadcast address. The gateway is
      the bridge's own address: by default the first after the network's.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.1}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.2}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .duplicateAddress, "an address is given to two services",
      """
      Two interfaces with one address would answer for each other. Change one address, or leave it out and a
      free one is chosen.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
          db:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
          db:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.6}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .addressWithoutSubnet, "a fixed address on a network whose subnet is not declared",
      """
      Without a `subnet`, a free one is chosen at every `up`. A fixed address could be outside it. Declare
      the subnet, or leave the address out.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {ipv4_address: 10.1.0.5}}
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .duplicateAttachment, "a service joins a network twice",
      """
      A service has one interface on each network. For further names on the network write `aliases`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front, front]
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {aliases: [www]}}
        networks:
          front: {}
        """),
  ]
}
