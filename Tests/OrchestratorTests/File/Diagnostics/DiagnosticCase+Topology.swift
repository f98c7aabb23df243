@testable import Orchestrator

extension DiagnosticCase {
  /// Diagnostics about interfaces, links, routes and how a service is in its network.
  static let topology: [DiagnosticCase] = interfaces

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
      networks: {a: {}, b: {}, c: {}}
      """,
      shows: """
        web.stack:5:42: error[E0550]: "much-too-long-a-name" cannot name an interface
          5 │       a: {interface_name: much-too-long-a-name}
            │                                          ^^^^^ the kernel takes at most 15 bytes

        web.stack:6:27: error[E0550]: "lan/1" cannot name an interface
          6 │       b: {interface_name: lan/1}
            │                           ^^^^^
            = help: write up to 15 letters, digits and marks without / and : and spaces: eth0, lan.10

        web.stack:7:27: error[E0550]: an interface cannot be called "lo"
          7 │       c: {interface_name: lo}
            │                           ^^ the kernel uses this name itself
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
}
