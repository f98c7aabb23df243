@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about IPv6.
  static let ipv6: [DiagnosticCase] = [
    DiagnosticCase(
      .networkWithoutIPv6,
      """
      services:
        web:
          command: nginx
          networks: {front: {ipv6_address: "fd00:1::5"}}
      networks:
        front: {subnet: 10.1.0.0/24}
        back: {enable_ipv6: false, subnet: "fd00:2::/64"}
      """,
      shows: """
        web.stack:4:38: error[E0580]: service "web" has an IPv6 address on "front", and IPv6 is not enabled there
          4 │     networks: {front: {ipv6_address: "fd00:1::5"}}
            │                                      ^^^^^^^^^^^
          6 │   front: {subnet: 10.1.0.0/24}
            │   ----- the network is declared here
            = help: write `enable_ipv6: true` in the network

        web.stack:7:38: error[E0580]: network "back" has an IPv6 subnet, and IPv6 is not enabled there
          7 │   back: {enable_ipv6: false, subnet: "fd00:2::/64"}
            │                                      ^^^^^^^^^^^^^
            │                       ----- it is switched off here
            = help: write `enable_ipv6: true` in the network
        """),
    DiagnosticCase(
      .unusableSubnet,
      """
      services:
        web:
          command: nginx
      networks:
        a: {enable_ipv6: true, subnet: "fd00::/127"}
        b: {enable_ipv6: true, subnet: "ff02::/64"}
        c: {enable_ipv6: true, subnet: "fd00::5/64"}
        d: {enable_ipv6: true, ip_range: "fd00::/64"}
        e: {enable_ipv6: true, mtu: 1000}
      """,
      shows: """
        web.stack:5:34: error[E0301]: fd00::/127 has no room for services
          5 │   a: {enable_ipv6: true, subnet: "fd00::/127"}
            │                                  ^^^^^^^^^^^^ a subnet's length is 16 to 126
            = help: of a subnet's addresses the first and the gateway's are taken

        web.stack:6:34: error[E0301]: ff02::/64 is not for hosts
          6 │   b: {enable_ipv6: true, subnet: "ff02::/64"}
            │                                  ^^^^^^^^^^^ ff00::/8 is multicast
            = help: choose one in fd00::/8, or leave it out and one is chosen

        web.stack:7:34: error[E0208]: "fd00::5/64" is not a subnet
          7 │   c: {enable_ipv6: true, subnet: "fd00::5/64"}
            │                                  ^^^^^^^^^^^^ did you mean "fd00::/64"?
            = help: write the network's address and its length: fd00:1::/64

        web.stack:8:36: error[E0031]: "ip_range" of IPv6 is not supported
          8 │   d: {enable_ipv6: true, ip_range: "fd00::/64"}
            │                                    ^^^^^^^^^^^
            = help: leave it out: a service's IPv6 address ends in the same number as its IPv4 address

        web.stack:9:31: error[E0216]: IPv6 needs an MTU of 1280, and network "e" has 1000
          9 │   e: {enable_ipv6: true, mtu: 1000}
            │                               ^^^^
        """),
    DiagnosticCase(
      .outsideSubnet,
      """
      services:
        a:
          command: a
          networks: {front: {ipv6_address: "fd00:2::5"}}
        b:
          command: b
          networks: {front: {ipv6_address: "fd00:1::1"}}
        c:
          command: c
          networks: {front: {ipv6_address: "fd00:1::7"}}
        d:
          command: d
          networks: {front: {ipv6_address: "fd00:1::7"}}
        e:
          command: e
          networks: {back: {ipv6_address: "fd00:1::7"}}
      networks:
        front:
          enable_ipv6: true
          ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
        back: {enable_ipv6: true}
        third: {enable_ipv6: true, subnet: "fd00:1:0:0:1::/80"}
      """,
      shows: """
        web.stack:4:38: error[E0303]: the address fd00:2::5 is outside the subnet of "front"
          4 │     networks: {front: {ipv6_address: "fd00:2::5"}}
            │                                      ^^^^^^^^^^^
         20 │     ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
            │                                                     ------------- the subnet is fd00:1::/64

        web.stack:7:38: error[E0304]: the address fd00:1::1 is the gateway of "front"
          7 │     networks: {front: {ipv6_address: "fd00:1::1"}}
            │                                      ^^^^^^^^^^^
         20 │     ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
            │                                                     ------------- the gateway is the first address of fd00:1::/64

        web.stack:13:38: error[E0305]: the address fd00:1::7 is given to "c" and to "d"
         10 │     networks: {front: {ipv6_address: "fd00:1::7"}}
            │                                      ----------- first here
         13 │     networks: {front: {ipv6_address: "fd00:1::7"}}
            │                                      ^^^^^^^^^^^ again here

        web.stack:16:37: error[E0306]: service "e" has a fixed address on "back", which has no IPv6 subnet
         16 │     networks: {back: {ipv6_address: "fd00:1::7"}}
            │                                     ^^^^^^^^^^^
         21 │   back: {enable_ipv6: true}
            │   ---- the network is declared here
            = help: declare one that holds the address: `subnet: fd00:1::/64`

        web.stack:22:38: error[E0302]: the networks "front" and "third" have addresses in common
         20 │     ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
            │                                                     ------------- declared here
         22 │   third: {enable_ipv6: true, subnet: "fd00:1:0:0:1::/80"}
            │                                      ^^^^^^^^^^^^^^^^^^^ overlaps fd00:1::/64
        """),
    DiagnosticCase(
      .portWithoutIPv6,
      """
      services:
        web:
          command: nginx
          networks: [front]
          ports: ["[::1]:8080:80"]
      networks:
        front: {}
      """,
      shows: """
        web.stack:5:13: error[E0581]: service "web" publishes a port on ::1, and has no IPv6 address to lead it to
          5 │     ports: ["[::1]:8080:80"]
            │             ^^^^^^^^^^^^^^^
            = help: write `enable_ipv6: true` in its network "front", or publish on an IPv4 address
        """),
    DiagnosticCase(
      .sourceOfOtherFamily,
      """
      services:
        web:
          command: nginx
          ports:
            - {target: 80, published: 8080, from: [10.0.0.0/8, "2001:db8::/32"]}
            - {target: 80, published: 8081, from: [10.0.0.1/8, here]}
            - {target: 80, published: 8082, from: []}
      """,
      shows: """
        web.stack:5:58: error[E0582]: nobody in 2001:db8::/32 can reach the port
          5 │       - {target: 80, published: 8080, from: [10.0.0.0/8, "2001:db8::/32"]}
            │                                                          ^^^^^^^^^^^^^^^ the service has no IPv6

        web.stack:6:46: error[E0208]: "10.0.0.1/8" is neither a network nor an address
          6 │       - {target: 80, published: 8081, from: [10.0.0.1/8, here]}
            │                                              ^^^^^^^^^^ did you mean "10.0.0.0/8"?
            = help: write a network's address and its length, 192.0.2.0/24 or 2001:db8::/32, or an address

        web.stack:6:58: error[E0208]: "here" is neither a network nor an address
          6 │       - {target: 80, published: 8081, from: [10.0.0.1/8, here]}
            │                                                          ^^^^
            = help: write a network's address and its length, 192.0.2.0/24 or 2001:db8::/32, or an address

        web.stack:7:45: error[E0035]: "from" is empty: nobody could reach the port
          7 │       - {target: 80, published: 8082, from: []}
            │                                             ^^
            = help: leave it out to let everybody
        """),
  ]
}
