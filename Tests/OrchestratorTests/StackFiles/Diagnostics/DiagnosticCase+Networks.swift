@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about networks.
  static let networks: [DiagnosticCase] = [
    DiagnosticCase(
      .unusableSubnet,
      """
      services:
        web:
          command: nginx
      networks:
        a: {subnet: 10.1.0.0/31}
        b: {subnet: 0.0.0.0/0}
        c: {subnet: 127.0.0.0/8}
      """,
      shows: """
        web.stack:5:15: error[E0301]: 10.1.0.0/31 has no room for services
          5 │   a: {subnet: 10.1.0.0/31}
            │               ^^^^^^^^^^^ a subnet's length is 8 to 30
            = help: of a subnet's addresses the first, the last and the gateway's are taken

        web.stack:6:15: error[E0301]: 0.0.0.0/0 is too large
          6 │   b: {subnet: 0.0.0.0/0}
            │               ^^^^^^^^^ a subnet's length is 8 to 30

        web.stack:7:15: error[E0301]: 127.0.0.0/8 is not for hosts
          7 │   c: {subnet: 127.0.0.0/8}
            │               ^^^^^^^^^^^ 127.0.0.0/8 is loopback
            = help: choose one in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16
        """),
    DiagnosticCase(
      .overlappingSubnets,
      """
      services:
        web:
          command: nginx
      networks:
        a: {subnet: 10.1.0.0/16}
        b: {subnet: 10.2.0.0/24}
        c: {subnet: 10.1.5.0/24}
        lab: {subnet: 10.5.0.0/24, vlans: {10: {subnet: 10.5.0.0/25}}}
      """,
      shows: """
        web.stack:7:15: error[E0302]: the networks "a" and "c" have addresses in common
          5 │   a: {subnet: 10.1.0.0/16}
            │               ----------- declared here
          7 │   c: {subnet: 10.1.5.0/24}
            │               ^^^^^^^^^^^ overlaps 10.1.0.0/16

        web.stack:8:51: error[E0302]: two subnets of network "lab" have addresses in common
          8 │   lab: {subnet: 10.5.0.0/24, vlans: {10: {subnet: 10.5.0.0/25}}}
            │                                                   ^^^^^^^^^^^ overlaps 10.5.0.0/24
            │                 ----------- declared here
        """),
    DiagnosticCase(
      .outsideSubnet,
      """
      services:
        web:
          command: nginx
          networks:
            front: {ipv4_address: 10.2.0.5}
      networks:
        front:
          subnet: 10.1.0.0/24
          gateway: 10.3.0.1
          ip_range: 10.1.0.0/16
      """,
      shows: """
        web.stack:5:29: error[E0303]: the address 10.2.0.5 is outside the subnet of "front"
          5 │       front: {ipv4_address: 10.2.0.5}
            │                             ^^^^^^^^
          8 │     subnet: 10.1.0.0/24
            │             ----------- the subnet is 10.1.0.0/24

        web.stack:9:14: error[E0303]: the gateway 10.3.0.1 is outside the subnet of "front"
          8 │     subnet: 10.1.0.0/24
            │             ----------- the subnet is 10.1.0.0/24
          9 │     gateway: 10.3.0.1
            │              ^^^^^^^^

        web.stack:10:15: error[E0303]: the range 10.1.0.0/16 is not inside the subnet of "front"
          8 │     subnet: 10.1.0.0/24
            │             ----------- the subnet is 10.1.0.0/24
         10 │     ip_range: 10.1.0.0/16
            │               ^^^^^^^^^^^
        """),
    DiagnosticCase(
      .reservedAddress,
      """
      services:
        a:
          command: a
          networks: {front: {ipv4_address: 10.1.0.1}}
        b:
          command: b
          networks: {front: {ipv4_address: 10.1.0.0}}
        c:
          command: c
          networks: {front: {ipv4_address: 10.1.0.255}}
      networks:
        front: {subnet: 10.1.0.0/24}
      """,
      shows: """
        web.stack:4:38: error[E0304]: the address 10.1.0.1 is the gateway of "front"
          4 │     networks: {front: {ipv4_address: 10.1.0.1}}
            │                                      ^^^^^^^^
         12 │   front: {subnet: 10.1.0.0/24}
            │                   ----------- the gateway is the first address of 10.1.0.0/24

        web.stack:7:38: error[E0304]: the address 10.1.0.0 is the network address of "front"
          7 │     networks: {front: {ipv4_address: 10.1.0.0}}
            │                                      ^^^^^^^^
         12 │   front: {subnet: 10.1.0.0/24}
            │                   ----------- the subnet is 10.1.0.0/24

        web.stack:10:38: error[E0304]: the address 10.1.0.255 is the broadcast address of "front"
         10 │     networks: {front: {ipv4_address: 10.1.0.255}}
            │                                      ^^^^^^^^^^
         12 │   front: {subnet: 10.1.0.0/24}
            │                   ----------- the subnet is 10.1.0.0/24
        """),
    DiagnosticCase(
      .duplicateAddress,
      """
      services:
        a:
          command: a
          networks: {front: {ipv4_address: 10.1.0.5}}
        b:
          command: b
          networks: {front: {ipv4_address: 10.1.0.5}}
      networks:
        front: {subnet: 10.1.0.0/24}
      """,
      shows: """
        web.stack:7:38: error[E0305]: the address 10.1.0.5 is given to "a" and to "b"
          4 │     networks: {front: {ipv4_address: 10.1.0.5}}
            │                                      -------- first here
          7 │     networks: {front: {ipv4_address: 10.1.0.5}}
            │                                      ^^^^^^^^ again here
        """),
    DiagnosticCase(
      .addressWithoutSubnet,
      """
      services:
        web:
          command: nginx
          networks:
            front: {ipv4_address: 10.1.0.5}
      networks:
        front: {}
      """,
      shows: """
        web.stack:5:29: error[E0306]: service "web" has a fixed address on "front", which has no subnet
          5 │       front: {ipv4_address: 10.1.0.5}
            │                             ^^^^^^^^
          7 │   front: {}
            │   ----- the network is declared here
            = help: declare one that holds the address: `subnet: 10.1.0.0/24`
        """),
    DiagnosticCase(
      .duplicateAttachment,
      """
      services:
        web:
          command: nginx
          networks: [front, front]
      networks: {front: {}}
      """,
      shows: """
        web.stack:4:23: error[E0307]: the network "front" is joined twice
          4 │     networks: [front, front]
            │                       ^^^^^ again here
            │                ----- first here
        """),
  ]
}
