@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about routes and links of IPv6.
  static let topology6: [DiagnosticCase] = [
    DiagnosticCase(
      .routerOfOtherFamily,
      """
      services:
        a:
          command: x
          networks: [n]
          routes:
            - default via fd00:1::3
            - default via 10.1.0.3
            - "::/0 via fd00:1::4"
            - fd00:2::/64 via 10.1.0.3
            - fd00:3::/64 via fd00:9::3
            - fd00:4::1/64 via fd00:1::3
            - fd00:5::/64 via fd00:1:3
            - fd00:6::/64 via fd00:1::3
      networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}}
      """,
      shows: """
        web.stack:8:10: error[E0554]: service "a" has two routes to ::/0
          6 │       - default via fd00:1::3
            │         ------- first here
          8 │       - "::/0 via fd00:1::4"
            │          ^^^^ again here

        web.stack:9:25: error[E0480]: a route to IPv6 cannot go by way of an IPv4 address
          9 │       - fd00:2::/64 via 10.1.0.3
            │                         ^^^^^^^^
            │         ----------- it leads to IPv6
            = help: name the router's IPv6 address, or the service

        web.stack:10:25: error[E0555]: service "a" routes by way of fd00:9::3, which is on none of its networks
         10 │       - fd00:3::/64 via fd00:9::3
            │                         ^^^^^^^^^
         14 │ networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}}
            │                                                                                   ------------- it is in fd00:1::/64
            = help: the router must be a neighbour: name its address on a network or link that the two share

        web.stack:11:9: error[E0208]: "fd00:4::1/64" is not a subnet
         11 │       - fd00:4::1/64 via fd00:1::3
            │         ^^^^^^^^^^^^ did you mean "fd00:4::/64"?
            = help: write the network's address and its length: fd00:1::/64

        web.stack:12:25: error[E0207]: "fd00:1:3" is not an IPv6 address
         12 │       - fd00:5::/64 via fd00:1:3
            │                         ^^^^^^^^
            = help: write it as in fd00:1::5
        """),
    DiagnosticCase(
      .badLink,
      """
      services:
        a: {command: x, networks: [n]}
        b: {command: x}
      networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:1::/64"}]}}}
      links:
        - ends: {a: "fd00:12::/64", b: "fd00:12::1/64"}
        - ends: {a: "fd00:13::1/127", b: "fd00:13::2/129"}
        - ends: {a: "fe80::1/64", b: "ff02::2/64"}
        - ends: {a: "fd00:1::5/64", b: "fd00:1::6/64"}
        - ends: {a: "fd00:14::1/64", b: "fd00:15::1/64"}
      """,
      shows: """
        web.stack:6:15: error[E0304]: fd00:12:: is the routers' address of fd00:12::/64
          6 │   - ends: {a: "fd00:12::/64", b: "fd00:12::1/64"}
            │               ^^^^^^^^^^^^^^ no interface can have it

        web.stack:7:36: error[E0207]: "fd00:13::2/129" is not an address with its length
          7 │   - ends: {a: "fd00:13::1/127", b: "fd00:13::2/129"}
            │                                    ^^^^^^^^^^^^^^^^
            = help: write both, as for ip address: fd00:12::1/64

        web.stack:8:32: error[E0304]: ff02::2 is not for hosts
          8 │   - ends: {a: "fe80::1/64", b: "ff02::2/64"}
            │                                ^^^^^^^^^^^^ ff00::/8 is multicast
            = help: choose one in fd00::/8

        web.stack:9:15: error[E0302]: two interfaces of service "a" are in fd00:1::/64
          4 │ networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: "fd00:1::/64"}]}}}
            │                                                            ------------- first here
          9 │   - ends: {a: "fd00:1::5/64", b: "fd00:1::6/64"}
            │               ^^^^^^^^^^^^^^ again here

        web.stack:10:35: error[E0553]: the ends of a link are in different subnets
         10 │   - ends: {a: "fd00:14::1/64", b: "fd00:15::1/64"}
            │                                   ^^^^^^^^^^^^^^^ this is not in fd00:14::/64
            │               --------------- the other end is in fd00:14::/64
        """),
  ]
}
