@testable import StackFiles

/// Networks without the host, and switches.
extension DiagnosticCase {
  static let labs = [
    DiagnosticCase(
      .networkWithoutHost,
      """
      services:
        web:
          command: x
          networks: [lab]
          ports: ["8080:80"]
          extra_hosts: ["h=host-gateway"]
        r: {command: x, networks: [lab]}
      networks:
        lab: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, host: false}
        far: {driver: macvlan, parent: eth0, subnet: 10.1.0.0/24, host: false}
      """,
      shows: """
        web.stack:5:13: error[E0562]: service "web" publishes a port, and the host is on none of its networks
          5 │     ports: ["8080:80"]
            │             ^^^^^^^^^
          9 │   lab: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, host: false}
            │                                                             ----- the host is not in it
            = help: put it on a second network that the host is on, or leave `ports` out

        web.stack:6:22: error[E0562]: service "web" does not reach the host
          6 │     extra_hosts: ["h=host-gateway"]
            │                      ^^^^^^^^^^^^
          9 │   lab: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, host: false}
            │                                                             ----- the host is not in it
            = help: put it on a second network that the host is on, or leave the line out

        web.stack:9:42: warning[W0560]: no service has the gateway 192.168.1.1 of "lab"
          9 │   lab: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, host: false}
            │                                          ^^^^^^^^^^^
            │                                                             ----- the host does not have it
            = help: give it to the router: `networks: {lab: {ipv4_address: 192.168.1.1}}`

        web.stack:10:67: error[E0562]: "host" is for networks with a bridge
         10 │   far: {driver: macvlan, parent: eth0, subnet: 10.1.0.0/24, host: false}
            │                                                                   ^^^^^
            │                 ------- the host has no address in a macvlan network anyway
            = help: leave it out
        """),
    DiagnosticCase(
      .badSwitch,
      """
      services:
        s1: {switch: true}
        s2:
          switch: {interface_name: br0}
          networks: [n]
          ports: ["80:80"]
        a: {command: x, network_mode: none}
      networks: {n: {}}
      links:
        - {ends: {a: 10.0.0.1/24, s1: 10.0.0.2/24}}
        - {endpoints: ["s1:x", "s2:x"]}
        - {endpoints: ["s1:y", "s2:y"]}
      """,
      shows: """
        web.stack:5:16: error[E0563]: switch "s2" is on a network
          4 │     switch: {interface_name: br0}
            │     ------ it is a switch
          5 │     networks: [n]
            │                ^
            = help: join it by cables: a network of the stack is a switch of its own

        web.stack:6:13: error[E0563]: switch "s2" publishes a port
          4 │     switch: {interface_name: br0}
            │     ------ it is a switch
          6 │     ports: ["80:80"]
            │             ^^^^^^^
            = help: leave `ports` out: it has no address

        web.stack:10:33: error[E0563]: switch "s1" has an address on a cable
          2 │   s1: {switch: true}
            │        ------ it is a switch
         10 │   - {ends: {a: 10.0.0.1/24, s1: 10.0.0.2/24}}
            │                                 ^^^^^^^^^^^
            = help: leave it out: addresses are those of whom the cable joins

        web.stack:12:5: error[E0563]: cables join switches in a circle, in which frames go round forever
          2 │   s1: {switch: true}
            │        ------ "s1" blocks no port
         12 │   - {endpoints: ["s1:y", "s2:y"]}
            │     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this one closes it
            = help: write `switch: {stp: true}` at each of them, or leave a cable out
        """),
  ]
}
