@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about interfaces, links, routes and how a service is in its network.
  static let topology: [DiagnosticCase] = interfaces + cables + routes + ways + modes + kinds + topology6

  private static let interfaces: [DiagnosticCase] = [
    DiagnosticCase(
      .badInterfaceName,
      """
      services:
        web:
          command: nginx
          networks:
            a: {interface_name: much-too-long-a-name}
            b: {interface_name: lan/1}
            c: {interface_name: lo}
            d: {interface_name: lan%d}
            e: {interface_name: all}
            f: {interface_name: default}
            g: {interface_name: ..}
      networks: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}}
      """,
      shows: """
        web.stack:5:42: error[E0550]: "much-too-long-a-name" cannot name an interface
          5 │       a: {interface_name: much-too-long-a-name}
            │                                          ^^^^^ the kernel takes at most 15 bytes

        web.stack:6:27: error[E0550]: "lan/1" cannot name an interface
          6 │       b: {interface_name: lan/1}
            │                           ^^^^^
            = help: write up to 15 letters, digits and marks without / : % and spaces: eth0, lan.10

        web.stack:7:27: error[E0550]: an interface cannot be called "lo"
          7 │       c: {interface_name: lo}
            │                           ^^ the kernel uses this name itself

        web.stack:8:27: error[E0550]: "lan%d" cannot name an interface
          8 │       d: {interface_name: lan%d}
            │                           ^^^^^
            = help: write up to 15 letters, digits and marks without / : % and spaces: eth0, lan.10

        web.stack:9:27: error[E0550]: an interface cannot be called "all"
          9 │       e: {interface_name: all}
            │                           ^^^ the kernel uses this name itself

        web.stack:10:27: error[E0550]: an interface cannot be called "default"
         10 │       f: {interface_name: default}
            │                           ^^^^^^^ the kernel uses this name itself

        web.stack:11:27: error[E0550]: ".." cannot name an interface
         11 │       g: {interface_name: ..}
            │                           ^^
            = help: write up to 15 letters, digits and marks without / : % and spaces: eth0, lan.10
        """),
    DiagnosticCase(
      .duplicateInterface,
      """
      services:
        web:
          command: nginx
          networks:
            a: {interface_name: lan}
            b: {interface_name: lan}
      networks: {a: {}, b: {}}
      """,
      shows: """
        web.stack:6:27: error[E0551]: two interfaces of service "web" are called "lan"
          5 │       a: {interface_name: lan}
            │                           --- first here
          6 │       b: {interface_name: lan}
            │                           ^^^ again here
        """),
    DiagnosticCase(
      .badExtraHost,
      """
      services:
        web:
          command: nginx
          extra_hosts:
            - files
            - files=10.0.0
      """,
      shows: """
        web.stack:5:9: error[E0552]: "files" gives a name no address
          5 │       - files
            │         ^^^^^
            = help: write the name and its address: "files=10.0.0.5"

        web.stack:6:15: error[E0552]: "10.0.0" is not an address
          6 │       - files=10.0.0
            │               ^^^^^^
            = help: write an IPv4 or IPv6 address, or host-gateway for the service's host
        """),
    DiagnosticCase(
      .conflictingKeys,
      """
      services:
        web:
          command: nginx
          mac_address: 02:00:00:00:00:02
          networks: {front: {mac_address: 02:00:00:00:00:01}}
      networks: {front: {mtu: 1400, driver_opts: {com.docker.network.driver.mtu: 1400}}}
      """,
      shows: """
        web.stack:4:18: error[E0037]: "mac_address" is given twice
          4 │     mac_address: 02:00:00:00:00:02
            │                  ^^^^^^^^^^^^^^^^^ again here
          5 │     networks: {front: {mac_address: 02:00:00:00:00:01}}
            │                                     ----------------- first here
            = help: leave one of them out

        web.stack:6:76: error[E0037]: "com.docker.network.driver.mtu" is given twice
          6 │ networks: {front: {mtu: 1400, driver_opts: {com.docker.network.driver.mtu: 1400}}}
            │                                                                            ^^^^ again here
            │                         ---- first here
        """),
    DiagnosticCase(
      .numberOutOfRange,
      """
      services: {web: {command: nginx}}
      networks: {front: {mtu: 60}}
      """,
      shows: """
        web.stack:2:25: error[E0216]: "mtu" must be 68 to 65535
          2 │ networks: {front: {mtu: 60}}
            │                         ^^ 60 is not
        """),
  ]

  private static let ways: [DiagnosticCase] = [
    DiagnosticCase(
      .routerOfNobody,
      """
      services:
        a: {command: x, routes: ["10.9.0.0/24 via 10.0.0.3"], networks: {n: {ipv4_address: 10.7.0.5}}}
        b: {command: x, routes: ["10.9.0.0/24 via 10.7.0.9"], networks: {n: {ipv4_address: 10.7.0.6}}}
        c: {command: x, routes: ["10.9.0.0/24 via 10.7.0.1", "10.8.0.0/24 via 10.7.0.5"], networks: {n: {ipv4_address: 10.7.0.7}}}
        d: {command: x, routes: ["10.9.0.0/24 via 10.6.0.9"], networks: [open]}
      networks: {n: {subnet: 10.7.0.0/24}, open: {subnet: 10.6.0.0/24}}
      links:
        - ends: {a: 10.0.0.1/29, b: 10.0.0.2/29}
      """,
      shows: """
        web.stack:2:45: warning[W0560]: service "a" routes by way of 10.0.0.3, which nobody has
          2 │   a: {command: x, routes: ["10.9.0.0/24 via 10.0.0.3"], networks: {n: {ipv4_address: 10.7.0.5}}}
            │                                             ^^^^^^^^
          8 │   - ends: {a: 10.0.0.1/29, b: 10.0.0.2/29}
            │                               ----------- the other end has 10.0.0.2
            = help: name an address of the router, or the router itself

        web.stack:3:45: warning[W0560]: service "b" routes by way of 10.7.0.9, which nobody has
          3 │   b: {command: x, routes: ["10.9.0.0/24 via 10.7.0.9"], networks: {n: {ipv4_address: 10.7.0.6}}}
            │                                             ^^^^^^^^
          6 │ networks: {n: {subnet: 10.7.0.0/24}, open: {subnet: 10.6.0.0/24}}
            │                        ----------- none of the services here has it
            = help: name an address of the router, or the router itself
        """),
    DiagnosticCase(
      .routesInCircle,
      """
      services:
        a: {command: x, forward: true, networks: [m], routes: ["n via b", "10.9.0.0/24 via 10.0.1.2"]}
        b: {command: x, forward: true, networks: [n], routes: ["10.9.9.0/24 via a", "default via c", "m via a"]}
        c: {command: x, forward: true, routes: ["10.9.0.0/16 via a"]}
      networks: {m: {subnet: 10.7.0.0/24}, n: {subnet: 10.8.0.0/24}}
      links:
        - ends: {a: 10.0.1.1/30, b: 10.0.1.2/30}
        - ends: {b: 10.0.2.1/30, c: 10.0.2.2/30}
        - ends: {c: 10.0.3.1/30, a: 10.0.3.2/30}
      """,
      shows: """
        web.stack:2:86: warning[W0561]: packets to 10.9.0.0/24 go round in a circle: a, b, c, a
          2 │   a: {command: x, forward: true, networks: [m], routes: ["n via b", "10.9.0.0/24 via 10.0.1.2"]}
            │                                                                                      ^^^^^^^^
          4 │   c: {command: x, forward: true, routes: ["10.9.0.0/16 via a"]}
            │                                                            - from c they come back
            = help: one of the routers needs a route by another way
        """),
  ]

  private static let cables: [DiagnosticCase] = [
    DiagnosticCase(
      .badLink,
      """
      services: {a: {command: x}, b: {command: x}, c: {command: x}}
      links:
        - ends: {a: 10.0.0.1/30}
        - endpoints: ["a:eth1", "a:eth2"]
        - ends: {a: 10.0.1.1/30, b: 10.0.2.1/30}
        - ends: {a: 10.0.3.1/30, c: 10.0.3.1/30}
        - ends: {b: 10.0.4.1, c: 10.0.4.0/30}
        - mtu: 1500
      """,
      shows: """
        web.stack:3:11: error[E0553]: a link has two ends
          3 │   - ends: {a: 10.0.0.1/30}
            │           ^^^^^^^^^^^^^^^^ this is one
            = help: a network joins more than two: `networks:`

        web.stack:4:28: error[E0553]: both ends of a link are at "a"
          4 │   - endpoints: ["a:eth1", "a:eth2"]
            │                            ^ again here
            │                  - first here

        web.stack:5:31: error[E0553]: the ends of a link are in different subnets
          5 │   - ends: {a: 10.0.1.1/30, b: 10.0.2.1/30}
            │                               ^^^^^^^^^^^ this is not in 10.0.1.0/30
            │               ----------- the other end is in 10.0.1.0/30

        web.stack:6:31: error[E0305]: both ends of a link have the address 10.0.3.1
          6 │   - ends: {a: 10.0.3.1/30, c: 10.0.3.1/30}
            │                               ^^^^^^^^^^^ again here
            │               ----------- first here

        web.stack:7:15: error[E0207]: "10.0.4.1" is not an address with its length
          7 │   - ends: {b: 10.0.4.1, c: 10.0.4.0/30}
            │               ^^^^^^^^
            = help: write both, as for ip address: 10.0.12.1/30

        web.stack:7:28: error[E0304]: 10.0.4.0 is the network address of 10.0.4.0/30
          7 │   - ends: {b: 10.0.4.1, c: 10.0.4.0/30}
            │                            ^^^^^^^^^^^ no interface can have it

        web.stack:8:5: error[E0033]: a link needs "ends"
          8 │   - mtu: 1500
            │     ^^^^^^^^^
            = help: write `ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}`
        """),
    DiagnosticCase(
      .undefinedService,
      """
      services: {r1: {command: x}, r2: {command: x, scale: 2}}
      links:
        - ends: {r1: 10.0.0.1/30, r3: 10.0.0.2/30}
        - ends: {r1: 10.0.0.1/29, r2: 10.0.0.2/29}
      """,
      shows: """
        web.stack:3:29: error[E0104]: a link ends at undefined service "r3"
          1 │ services: {r1: {command: x}, r2: {command: x, scale: 2}}
            │            -- "r1" is declared here
          3 │   - ends: {r1: 10.0.0.1/30, r3: 10.0.0.2/30}
            │                             ^^ did you mean "r1"?

        web.stack:4:16: error[E0302]: two interfaces of service "r1" are in 10.0.0.0/29
          3 │   - ends: {r1: 10.0.0.1/30, r3: 10.0.0.2/30}
            │                ----------- first here
          4 │   - ends: {r1: 10.0.0.1/29, r2: 10.0.0.2/29}
            │                ^^^^^^^^^^^ again here

        web.stack:4:29: error[E0404]: service "r2" has 2 replicas and one end of a link
          1 │ services: {r1: {command: x}, r2: {command: x, scale: 2}}
            │                                                      - 2 replicas
          4 │   - ends: {r1: 10.0.0.1/29, r2: 10.0.0.2/29}
            │                             ^^
            = help: links are for a single service: use a network
        """),
    DiagnosticCase(
      .overlappingSubnets,
      """
      services: {r1: {command: x, networks: [n]}, r2: {command: x, networks: [n]}}
      networks: {n: {subnet: 10.0.0.0/16}}
      links: [{ends: {r1: 10.0.0.1/30, r2: null}}]
      """,
      shows: """
        web.stack:3:21: error[E0302]: two interfaces of service "r1" are in 10.0.0.0/16
          2 │ networks: {n: {subnet: 10.0.0.0/16}}
            │                        ----------- first here
          3 │ links: [{ends: {r1: 10.0.0.1/30, r2: null}}]
            │                     ^^^^^^^^^^^ again here
        """),
  ]

  private static let routes: [DiagnosticCase] = [
    DiagnosticCase(
      .badRoute,
      """
      services:
        a:
          command: x
          networks: [n]
          routes:
            - 10.2.0.0/24
            - {to: 10.3.0.0/24}
            - {to: 10.4.0.0/24, via: 10.1.0.2, blackhole: true}
            - 10.4.0.0/24 via 10.1.0.3
            - n via 10.1.0.3
            - nn via 10.1.0.3
            - 10.5.0.1/24 via 10.1.0.3
            - 10.6.0.0/24 via 10.1.0
      networks: {n: {subnet: 10.1.0.0/24}}
      """,
      shows: """
        web.stack:6:9: error[E0554]: a route leads nowhere
          6 │       - 10.2.0.0/24
            │         ^^^^^^^^^^^
            = help: write `10.2.0.0/24 via 10.1.0.2` or `blackhole 10.2.0.0/24`

        web.stack:7:9: error[E0554]: a route leads nowhere
          7 │       - {to: 10.3.0.0/24}
            │         ^^^^^^^^^^^^^^^^^
            = help: write `10.2.0.0/24 via 10.1.0.2` or `blackhole 10.2.0.0/24`

        web.stack:8:53: error[E0037]: a route is either by way of a router or a black hole
          8 │       - {to: 10.4.0.0/24, via: 10.1.0.2, blackhole: true}
            │                                                     ^^^^
            │                                -------- the router
            = help: leave one of them out

        web.stack:9:9: error[E0554]: service "a" has two routes to 10.4.0.0/24
          8 │       - {to: 10.4.0.0/24, via: 10.1.0.2, blackhole: true}
            │              ----------- first here
          9 │       - 10.4.0.0/24 via 10.1.0.3
            │         ^^^^^^^^^^^ again here

        web.stack:10:9: error[E0554]: service "a" has a route to "n", which it is on
          4 │     networks: [n]
            │                - it joins it here
         10 │       - n via 10.1.0.3
            │         ^

        web.stack:11:9: error[E0102]: service "a" has a route to undefined network "nn"
         11 │       - nn via 10.1.0.3
            │         ^^ did you mean "n"?
         14 │ networks: {n: {subnet: 10.1.0.0/24}}
            │            - "n" is declared here

        web.stack:12:9: error[E0208]: "10.5.0.1/24" is not a subnet
         12 │       - 10.5.0.1/24 via 10.1.0.3
            │         ^^^^^^^^^^^ did you mean "10.5.0.0/24"?
            = help: write the network's address and its length: 10.1.0.0/24

        web.stack:13:25: error[E0207]: "10.1.0" is not an IPv4 address
         13 │       - 10.6.0.0/24 via 10.1.0
            │                         ^^^^^^
            = help: write four numbers: 10.1.0.5
        """),
    DiagnosticCase(
      .unreachableRouter,
      """
      services:
        a: {command: x, networks: [n], routes: [10.2.0.0/24 via 10.9.0.1, 10.3.0.0/24 via b, 10.4.0.0/24 via c]}
        b: {command: x, networks: [m]}
      networks: {n: {subnet: 10.1.0.0/24}, m: {}}
      """,
      shows: """
        web.stack:2:59: error[E0555]: service "a" routes by way of 10.9.0.1, which is on none of its networks
          2 │   a: {command: x, networks: [n], routes: [10.2.0.0/24 via 10.9.0.1, 10.3.0.0/24 via b, 10.4.0.0/24 via c]}
            │                                                           ^^^^^^^^
          4 │ networks: {n: {subnet: 10.1.0.0/24}, m: {}}
            │                        ----------- it is in 10.1.0.0/24
            = help: the router must be a neighbour: name its address on a network or link that the two share

        web.stack:2:85: error[E0555]: service "a" routes by way of "b", with which it shares no network
          2 │   a: {command: x, networks: [n], routes: [10.2.0.0/24 via 10.9.0.1, 10.3.0.0/24 via b, 10.4.0.0/24 via c]}
            │                                                                                     ^
          3 │   b: {command: x, networks: [m]}
            │   - "b" is declared here
            = help: put both on one network, or join them by a link

        web.stack:2:104: error[E0104]: service "a" routes by way of undefined service "c"
          2 │   a: {command: x, networks: [n], routes: [10.2.0.0/24 via 10.9.0.1, 10.3.0.0/24 via b, 10.4.0.0/24 via c]}
            │                                                                                                        ^
        """),
  ]

  private static let modes: [DiagnosticCase] = [
    DiagnosticCase(
      .networkModeConflict,
      """
      services:
        a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
        b: {command: x, network_mode: host, ports: ["80:80"], mac_address: 02:00:00:00:00:01}
        c: {command: x, network_mode: none, extra_hosts: ["up=host-gateway"]}
        web: {command: x, scale: 2}
      networks: {n: {}}
      links: [{ends: {a: null, web: null}}]
      """,
      shows: """
        web.stack:2:42: error[E0404]: service "a" shares the network of "web", which has 2 replicas
          2 │   a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
            │                                          ^^^
          5 │   web: {command: x, scale: 2}
            │                            - 2 replicas
            = help: only the network of a single one can be shared

        web.stack:2:59: error[E0556]: "networks" and "network_mode: service:web" exclude each other
          2 │   a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
            │                                                           ^
            │                                          --- "network_mode" is given here
            = help: leave one of them out, or give "networks" to "web", whose network it is

        web.stack:2:71: error[E0556]: "ports" and "network_mode: service:web" exclude each other
          2 │   a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
            │                                                                       ^^^^
            │                                          --- "network_mode" is given here
            = help: leave one of them out, or give "ports" to "web", whose network it is

        web.stack:2:87: error[E0556]: "forward" and "network_mode: service:web" exclude each other
          2 │   a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
            │                                                                                       ^^^^
            │                                          --- "network_mode" is given here
            = help: leave one of them out, or give "forward" to "web", whose network it is

        web.stack:3:47: note[N0036]: "ports" has no effect with "network_mode: host": what the service listens on, the host listens on
          3 │   b: {command: x, network_mode: host, ports: ["80:80"], mac_address: 02:00:00:00:00:01}
            │                                               ^^^^^^^

        web.stack:3:70: error[E0556]: "mac_address" is for a service on networks of its own
          3 │   b: {command: x, network_mode: host, ports: ["80:80"], mac_address: 02:00:00:00:00:01}
            │                                                                      ^^^^^^^^^^^^^^^^^
            │                                 ---- this one is on none

        web.stack:4:57: error[E0556]: "host-gateway" and "network_mode: none" exclude each other
          4 │   c: {command: x, network_mode: none, extra_hosts: ["up=host-gateway"]}
            │                                                         ^^^^^^^^^^^^
            │                                 ---- "network_mode" is given here
            = help: leave one of them out: a service on no network is reached by its links alone

        web.stack:7:17: error[E0556]: a link ends at service "a", which has no network of its own
          2 │   a: {command: x, network_mode: "service:web", networks: [n], ports: ["80"], forward: true}
            │                                          --- its network is said here
          7 │ links: [{ends: {a: null, web: null}}]
            │                 ^

        web.stack:7:26: error[E0404]: service "web" has 2 replicas and one end of a link
          5 │   web: {command: x, scale: 2}
            │                            - 2 replicas
          7 │ links: [{ends: {a: null, web: null}}]
            │                          ^^^
            = help: links are for a single service: use a network
        """),
    DiagnosticCase(
      .badChoice,
      """
      services:
        a: {command: x, network_mode: hots}
        b: {command: x, network_mode: bridge}
        c: {command: x, network_mode: "container:x"}
        d: {command: x, network_mode: "service:x"}
        e: {command: x, network_mode: "service:e"}
      """,
      shows: """
        web.stack:2:33: error[E0034]: "network_mode" cannot be "hots"
          2 │   a: {command: x, network_mode: hots}
            │                                 ^^^^ did you mean "host"?
            = help: it can be: none, host, service:NAME

        web.stack:3:33: note[N0036]: "network_mode: bridge" has no effect: the service is on the stack's network `default`
          3 │   b: {command: x, network_mode: bridge}
            │                                 ^^^^^^
            = help: services of other stacks are reached by a network that both name: `external: true`

        web.stack:4:33: error[E0031]: "network_mode" names the container "x", which is not of this stack
          4 │   c: {command: x, network_mode: "container:x"}
            │                                 ^^^^^^^^^^^^^
            = help: put both into one stack, and name the service: `network_mode: service:web`

        web.stack:5:42: error[E0104]: service "d" depends on undefined service "x"
          5 │   d: {command: x, network_mode: "service:x"}
            │                                          ^

        web.stack:6:42: error[E0105]: service "e" depends on itself
          6 │   e: {command: x, network_mode: "service:e"}
            │                                          ^
        """),
  ]

  private static let kinds: [DiagnosticCase] = [
    DiagnosticCase(
      .externalConflict,
      """
      services: {a: {command: x, networks: [n, m]}}
      networks:
        n: {external: true, name: web/front, subnet: 10.1.0.0/24, mtu: 1400}
        m: {external: {name: we b/front}}
      """,
      shows: """
        web.stack:3:48: error[E0557]: "subnet" is not for network "n", which is another stack's
          3 │   n: {external: true, name: web/front, subnet: 10.1.0.0/24, mtu: 1400}
            │                                                ^^^^^^^^^^^
            │       -------- it is said here
            = help: leave it out: the file of the stack that has the network says it

        web.stack:3:66: error[E0557]: "mtu" is not for network "n", which is another stack's
          3 │   n: {external: true, name: web/front, subnet: 10.1.0.0/24, mtu: 1400}
            │                                                                  ^^^^
            │       -------- it is said here
            = help: leave it out: the file of the stack that has the network says it

        web.stack:4:24: error[E0201]: "we b" cannot name a stack
          4 │   m: {external: {name: we b/front}}
            │                        ^^^^^^^^^^ a stack's name is made of a-z, 0-9 and _ -
        """),
    DiagnosticCase(
      .driverConflict,
      """
      services: {a: {command: x, networks: {lan: {delay: 5ms}}, ports: ["80:80"]}}
      networks:
        n: {parent: eth0, id: 4}
        lan: {driver: macvlan, subnet: 10.1.0.0/24}
        far: {driver: vxlan, id: 42, remote: 192.0.2.1, local: "::1", subnet: 10.2.0.0/24}
        far2: {driver: vxlan, id: 42, remote: 224.0.0.1}
      """,
      shows: """
        web.stack:1:39: error[E0558]: service "a" has conditions on its link to a macvlan network
          1 │ services: {a: {command: x, networks: {lan: {delay: 5ms}}, ports: ["80:80"]}}
            │                                       ^^^
          4 │   lan: {driver: macvlan, subnet: 10.1.0.0/24}
            │                 ------- its driver
            = help: only links to a stack's own bridges can be slow or lose packets

        web.stack:1:67: note[N0036]: "ports" has no effect: "a" is reached at its own address on the macvlan's network
          1 │ services: {a: {command: x, networks: {lan: {delay: 5ms}}, ports: ["80:80"]}}
            │                                                                   ^^^^^^^
          4 │   lan: {driver: macvlan, subnet: 10.1.0.0/24}
            │                 ------- its driver

        web.stack:3:15: error[E0558]: "parent" is for a network of driver macvlan
          3 │   n: {parent: eth0, id: 4}
            │               ^^^^ "n" is a bridge
            = help: leave it out, or write `driver: macvlan`

        web.stack:3:25: error[E0558]: "id" is for a network of driver vxlan
          3 │   n: {parent: eth0, id: 4}
            │                         ^ "n" is a bridge
            = help: leave it out, or write `driver: vxlan`

        web.stack:4:17: error[E0033]: a macvlan network needs "parent"
          4 │   lan: {driver: macvlan, subnet: 10.1.0.0/24}
            │                 ^^^^^^^
            = help: write `parent: eth0`

        web.stack:5:58: error[E0558]: "local" and "remote" are of two families
          5 │   far: {driver: vxlan, id: 42, remote: 192.0.2.1, local: "::1", subnet: 10.2.0.0/24}
            │                                                          ^^^^^
            │                                        --------- the other host's address

        web.stack:6:18: error[E0033]: a vxlan network needs "remote"
          6 │   far2: {driver: vxlan, id: 42, remote: 224.0.0.1}
            │                  ^^^^^
            = help: write `remote: 192.0.2.7`

        web.stack:6:18: error[E0033]: a vxlan network needs "subnet"
          6 │   far2: {driver: vxlan, id: 42, remote: 224.0.0.1}
            │                  ^^^^^
            = help: write `subnet: 10.1.0.0/24`

        web.stack:6:29: error[E0558]: two networks have the id 42 and the same port
          5 │   far: {driver: vxlan, id: 42, remote: 192.0.2.1, local: "::1", subnet: 10.2.0.0/24}
            │                            -- first here
          6 │   far2: {driver: vxlan, id: 42, remote: 224.0.0.1}
            │                             ^^ again here
            = help: choose another id

        web.stack:6:41: error[E0207]: 224.0.0.1 is no single host's address
          6 │   far2: {driver: vxlan, id: 42, remote: 224.0.0.1}
            │                                         ^^^^^^^^^
        """),
    DiagnosticCase(
      .badVLAN,
      """
      services:
        a: {command: x, networks: {n: {vlan: 11}, m: {vlan: 10}, o: {vlan: 10}}}
        b: {command: x, networks: {n: {vlan: {trunk: [10, 10]}}}, ports: ["80:80"]}
        c: {command: x, networks: {n: {vlan: {trunk: {10: 10.2.0.1}, access: 10}}}}
        d: {command: x, networks: {n: {vlan: {}}}}
        e: {command: x, networks: {n: {vlan: 10, ipv4_address: 10.1.0.5}}, ports: ["80"]}
        f: {command: x, networks: {n: {vlan: 1}}}
      networks:
        n: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: {gateway: 10.1.20.1}, 30: {subnet: 10.1.30.0/24, gateway: 10.1.31.1}}}
        m: {external: true}
        o: {driver: macvlan, parent: eth0, subnet: 10.3.0.0/24}
      """,
      shows: """
        web.stack:2:40: error[E0559]: network "n" has no VLAN 11
          2 │   a: {command: x, networks: {n: {vlan: 11}, m: {vlan: 10}, o: {vlan: 10}}}
            │                                        ^^
          9 │   n: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: {gateway: 10.1.20.1}, 30: {subnet: 10.1.30.0/24, gateway: 10.1.…
            │                                    -- it has 10, 20, 30

        web.stack:2:55: error[E0559]: service "a" is in a VLAN of "m", which has none
          2 │   a: {command: x, networks: {n: {vlan: 11}, m: {vlan: 10}, o: {vlan: 10}}}
            │                                                       ^^
         10 │   m: {external: true}
            │       -------- only a stack's own bridge has VLANs
            = help: leave `vlan` out

        web.stack:2:70: error[E0559]: service "a" is in a VLAN of "o", which has none
          2 │   a: {command: x, networks: {n: {vlan: 11}, m: {vlan: 10}, o: {vlan: 10}}}
            │                                                                      ^^
         11 │   o: {driver: macvlan, parent: eth0, subnet: 10.3.0.0/24}
            │               ------- only a stack's own bridge has VLANs
            = help: leave `vlan` out

        web.stack:3:53: error[E0559]: VLAN 10 is twice in a trunk
          3 │   b: {command: x, networks: {n: {vlan: {trunk: [10, 10]}}}, ports: ["80:80"]}
            │                                                     ^^ again here
            │                                                 -- first here

        web.stack:4:48: error[E0037]: an interface is in one VLAN or a trunk of several
          4 │   c: {command: x, networks: {n: {vlan: {trunk: {10: 10.2.0.1}, access: 10}}}}
            │                                                ^^^^^^^^^^^^^^
            │                                                                        -- one VLAN
            = help: leave one of them out

        web.stack:5:40: error[E0033]: "vlan" needs "access" or "trunk"
          5 │   d: {command: x, networks: {n: {vlan: {}}}}
            │                                        ^^
            = help: write `vlan: 10` or `vlan: {trunk: [10, 20]}`

        web.stack:6:58: error[E0303]: the address 10.1.0.5 is outside the subnet of "n"
          6 │   e: {command: x, networks: {n: {vlan: 10, ipv4_address: 10.1.0.5}}, ports: ["80"]}
            │                                                          ^^^^^^^^
          9 │   n: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: {gateway: 10.1.20.1}, 30: {subnet: 10.1.30.0/24, gateway: 10.1.…
            │                                        ------------ the subnet is 10.1.10.0/24

        web.stack:6:78: error[E0559]: service "e" publishes a port and is in a VLAN, where the host is not
          6 │   e: {command: x, networks: {n: {vlan: 10, ipv4_address: 10.1.0.5}}, ports: ["80"]}
            │                                                                              ^^^^
            │                                        -- the VLAN
            = help: put it on a second network without `vlan`, or leave `ports` out

        web.stack:7:40: error[E0216]: "vlan" must be 2 to 4094
          7 │   f: {command: x, networks: {n: {vlan: 1}}}
            │                                        ^ 1 is not

        web.stack:9:68: error[E0306]: VLAN 20 has a gateway but no subnet
          9 │ …ubnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: {gateway: 10.1.20.1}, 30: {subnet: 10.1.30.0/24, gateway: 10.1.31.1}}}
            │                                                              ^^^^^^^^^
            = help: declare it: `subnet: 10.1.20.0/24`

        web.stack:9:116: error[E0303]: the gateway 10.1.31.1 is outside the VLAN's subnet
          9 │ …ubnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: {gateway: 10.1.20.1}, 30: {subnet: 10.1.30.0/24, gateway: 10.1.31.1}}}
            │                                                                                                              ^^^^^^^^^
            │                                                                                       ------------ the subnet is 10.1.30.0/24
        """),
  ]
}
