extension DiagnosticExplanation {
  /// E0550 to E0559: interfaces, links, routes and kinds of networks.
  static let interfaces: [DiagnosticExplanation] = [
    .init(
      .badInterfaceName, "an interface's name has a character or a length that is not allowed",
      """
      The kernel takes names of 1 to 15 bytes without `/`, `:` and spaces, other than `.` and `..`. The names
      `lo`, `all` and `default` are the kernel's own.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {interface_name: much-too-long-a-name}}
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {interface_name: front0}}
        networks:
          front: {}
        """),
    .init(
      .duplicateInterface, "two interfaces of a service have the same name",
      """
      Names of interfaces are unique within a network namespace. Interfaces that have no `interface_name`
      are called `eth0`, `eth1` and so on.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {interface_name: lan}, back: {interface_name: lan}}
        networks: {front: {}, back: {}}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {front: {interface_name: lan0}, back: {interface_name: lan1}}
        networks: {front: {}, back: {}}
        """),
    .init(
      .badExtraHost, "a line for /etc/hosts has no address, or one that cannot be understood",
      """
      An entry is `name=address`. The address `host-gateway` is the host, as the service reaches it.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            extra_hosts: [files]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            extra_hosts: ["files=10.0.0.5"]
        """),
    .init(
      .badLink, "a link does not have two ends at two services, or its ends are not in one subnet",
      """
      A link is a veth pair between two different services. Where both ends have addresses, these are
      different addresses of one subnet.
      """,
      wrong: """
        services:
          r1: {command: [sleep, infinity]}
          r2: {command: [sleep, infinity]}
        links:
          - ends: {r1: 10.0.1.1/30, r2: 10.0.2.1/30}
        """,
      mended: """
        services:
          r1: {command: [sleep, infinity]}
          r2: {command: [sleep, infinity]}
        links:
          - ends: {r1: 10.0.1.1/30, r2: 10.0.1.2/30}
        """),
    .init(
      .badRoute, "a route has no next hop, or the destination of another route",
      """
      A route is `destination via router`, or `blackhole destination`. Each destination has one route. The
      subnet of a network that the service is on needs none.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: [10.2.0.0/24]
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: [10.2.0.0/24 via 10.1.0.2]
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .unreachableRouter, "the router of a route is on none of the service's networks and links",
      """
      The next hop of a route must be a neighbour: it is on a network or link of the service itself.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: [10.2.0.0/24 via 10.9.0.1]
        networks:
          front: {subnet: 10.1.0.0/24}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: [10.2.0.0/24 via 10.1.0.9]
        networks:
          front: {subnet: 10.1.0.0/24}
        """),
    .init(
      .networkModeConflict, "a service without a network namespace of its own has network properties",
      """
      With `network_mode: service:web`, `host` or `none` the service has no network namespace to configure.
      Give networks and ports to the service that owns the namespace.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
          sidecar:
            command: [sleep, infinity]
            network_mode: service:web
            ports: ["8080:80"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
          sidecar:
            command: [sleep, infinity]
            network_mode: service:web
        """),
    .init(
      .externalConflict, "a network of another stack has properties that only that stack can set",
      """
      A network with `external: true` belongs to another stack. Subnet, MTU and the like stand in the file
      of that stack.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [shared]
        networks:
          shared: {external: true, name: shop/front, mtu: 1400}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [shared]
        networks:
          shared: {external: true, name: shop/front}
        """),
    .init(
      .driverConflict, "a network has a property that its driver does not use",
      """
      `parent` belongs to networks of driver macvlan; `id`, `remote`, `local` and `port` to those of vxlan.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {parent: eth0, subnet: 192.168.1.0/24}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {driver: macvlan, parent: eth0, subnet: 192.168.1.0/24}
        """),
    .init(
      .badVLAN,
      "a VLAN is unknown, given twice, or used where none is possible",
      """
      VLANs are declared under `vlans:` of a network whose bridge is the stack's own. A service names one of
      them. The host is in no VLAN, so a service that is only in a VLAN publishes no ports.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: {lab: {vlan: 11}}
        networks:
          lab: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: 10.1.20.0/24}}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: {lab: {vlan: 10}}
        networks:
          lab: {subnet: 10.1.0.0/24, vlans: {10: 10.1.10.0/24, 20: 10.1.20.0/24}}
        """),
    .init(
      .routerOfNobody, "a route goes by way of an address that nobody has",
      """
      The address is in the subnet of a link or network of the service, and no service there has it. Packets
      to the destination get no further. On a network, this is seen where each service has a fixed address.
      """,
      wrong: """
        services:
          r1: {command: [sleep, infinity], routes: ["10.2.0.0/24 via 10.0.12.3"]}
          r2: {command: [sleep, infinity], forward: true}
        links:
          - ends: {r1: 10.0.12.1/29, r2: 10.0.12.2/29}
        """,
      mended: """
        services:
          r1: {command: [sleep, infinity], routes: ["10.2.0.0/24 via 10.0.12.2"]}
          r2: {command: [sleep, infinity], forward: true}
        links:
          - ends: {r1: 10.0.12.1/29, r2: 10.0.12.2/29}
        """),
    .init(
      .routesInCircle, "routers send packets round in a circle",
      """
      Each of the routers has a route to the destination by way of the next one, and the last leads back to
      the first. A packet passes them until its time to live ends.
      """,
      wrong: """
        services:
          r1: {command: [sleep, infinity], forward: true, routes: ["10.2.0.0/24 via r2"]}
          r2: {command: [sleep, infinity], forward: true, routes: ["10.2.0.0/24 via r1"]}
        links:
          - ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}
        """,
      mended: """
        services:
          r1: {command: [sleep, infinity], forward: true, routes: ["10.2.0.0/24 via r2"]}
          r2: {command: [sleep, infinity], forward: true, routes: ["10.2.0.0/24 via r3"]}
          r3: {command: [sleep, infinity], forward: true, networks: [far]}
        networks:
          far: {subnet: 10.2.0.0/24}
        links:
          - ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}
          - ends: {r2: 10.0.23.1/30, r3: 10.0.23.2/30}
        """),
    .init(
      .networkWithoutHost, "something leads from a service to the host, which is on none of its networks",
      """
      The host has no address in a network with `host: false`. So it leads nobody there: a service that is on such
      networks alone publishes no ports, and has no `host-gateway`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [lab]
            ports: ["8080:80"]
        networks:
          lab: {subnet: 192.168.1.0/24, host: false}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [lab, front]
            ports: ["8080:80"]
        networks:
          lab: {subnet: 192.168.1.0/24, host: false}
          front: {}
        """),
    .init(
      .badSwitch, "a switch has something that only hosts have, or switches are joined in a circle",
      """
      A service with `switch` joins its cables by a bridge. It has no address and is on no network. Without the
      spanning tree protocol, frames in a circle of switches go round forever.
      """,
      wrong: """
        services:
          sw: {switch: true}
          a: {command: [sleep, infinity], network_mode: none}
        links:
          - ends: {a: 10.0.0.1/24, sw: 10.0.0.2/24}
        """,
      mended: """
        services:
          sw: {switch: true}
          a: {command: [sleep, infinity], network_mode: none}
        links:
          - ends: {a: 10.0.0.1/24, sw: null}
        """),
  ]
}
