@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about values.
  static let values: [DiagnosticCase] = [
    DiagnosticCase(
      .badName,
      """
      services:
        web/1:
          command: nginx
      """,
      shows: """
        web.stack:2:6: error[E0201]: "web/1" cannot name a service
          2 │   web/1:
            │      ^ a service's name is made of a-z, A-Z, 0-9 and _ . -
        """),
    DiagnosticCase(
      .badName,
      """
      name: -/-
      services:
        web:
          command: nginx
      """,
      shows: """
        web.stack:1:7: error[E0201]: "-/-" cannot name a stack
          1 │ name: -/-
            │       ^ a stack's name begins with a-z or 0-9
        """),
    DiagnosticCase(
      .badHostname,
      """
      services:
        web:
          command: nginx
          hostname: web!
      """,
      shows: """
        web.stack:4:15: error[E0202]: "web!" is not a host name
          4 │     hostname: web!
            │               ^^^^
            = help: a-z, A-Z, 0-9, _ and -, in parts between dots; no part begins or ends with -
        """),
    DiagnosticCase(
      .badHostname,
      """
      services:
        web:
          command: nginx
          hostname: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      """,
      shows: """
        web.stack:4:79: error[E0202]: "hostname" is 65 bytes long
          4 │     hostname: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            │                                                                               ^ the kernel takes at most 64
        """),
    DiagnosticCase(
      .badPort,
      """
      services:
        web:
          command: nginx
          ports: ["8080:http"]
      """,
      shows: """
        web.stack:4:19: error[E0203]: "http" is not a port
          4 │     ports: ["8080:http"]
            │                   ^^^^
            = help: write HOST:CONTAINER, as in "8080:80"; before it an address, after it /udp; or ranges, 8000-8002:80-82
        """),
    DiagnosticCase(
      .portOutOfRange,
      """
      services:
        web:
          command: nginx
          ports: ["8080:0", "8080:65536"]
      """,
      shows: """
        web.stack:4:19: error[E0204]: "0": ports are 1 to 65535
          4 │     ports: ["8080:0", "8080:65536"]
            │                   ^

        web.stack:4:29: error[E0204]: "65536": ports are 1 to 65535
          4 │     ports: ["8080:0", "8080:65536"]
            │                             ^^^^^
        """),
    DiagnosticCase(
      .backwardsRange,
      """
      services:
        web:
          command: nginx
          ports: ["8002-8000:80"]
      """,
      shows: """
        web.stack:4:14: error[E0205]: the range 8002-8000 ends before it begins
          4 │     ports: ["8002-8000:80"]
            │              ^^^^^^^^^ did you mean "8000-8002"?
        """),
    DiagnosticCase(
      .rangeLengths,
      """
      services:
        web:
          command: nginx
          ports: ["8000-8002:80-81"]
      """,
      shows: """
        web.stack:4:13: error[E0206]: the host's range has 3 ports and the container's 2
          4 │     ports: ["8000-8002:80-81"]
            │             ^^^^^^^^^^^^^^^^^
            = help: give both the same length, or the container a single port
        """),
    DiagnosticCase(
      .badAddress,
      """
      services:
        web:
          command: nginx
          ports: ["localhost:8080:80"]
      """,
      shows: """
        web.stack:4:14: error[E0207]: "localhost" is not an IP address
          4 │     ports: ["localhost:8080:80"]
            │              ^^^^^^^^^
            = help: write 127.0.0.1
        """),
    DiagnosticCase(
      .badAddress,
      """
      services:
        web:
          command: nginx
          networks: {front: {ipv4_address: 10.1.0.256}}
      networks: {front: {subnet: 10.1.0.0/24}}
      """,
      shows: """
        web.stack:4:38: error[E0207]: "10.1.0.256" is not an IPv4 address
          4 │     networks: {front: {ipv4_address: 10.1.0.256}}
            │                                      ^^^^^^^^^^
            = help: write four numbers: 10.1.0.5
        """),
    DiagnosticCase(
      .badSubnet,
      """
      services:
        web:
          command: nginx
      networks:
        front:
          subnet: 10.1.0.1/24
      """,
      shows: """
        web.stack:6:13: error[E0208]: "10.1.0.1/24" is not a subnet
          6 │     subnet: 10.1.0.1/24
            │             ^^^^^^^^^^^ did you mean "10.1.0.0/24"?
            = help: write the network's address and its length: 10.1.0.0/24
        """),
    DiagnosticCase(
      .badDuration,
      """
      services:
        web:
          command: nginx
          stop_grace_period: 10
      """,
      shows: """
        web.stack:4:24: error[E0209]: "stop_grace_period": "10" has no unit
          4 │     stop_grace_period: 10
            │                        ^^ did you mean "10s"?
            = help: write a number and a unit: 500ms, 10s, 1m30s, 2h
        """),
    DiagnosticCase(
      .badDuration,
      """
      services:
        web:
          command: nginx
          stop_grace_period: 1000000000000000000000000000000s
      """,
      shows: """
        web.stack:4:24: error[E0209]: "stop_grace_period": "1000000000000000000000000000000s" is longer than a day
          4 │     stop_grace_period: 1000000000000000000000000000000s
            │                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        """),
    DiagnosticCase(
      .badSize,
      """
      services:
        web:
          command: nginx
          tmpfs: "/run:size=-1"
      """,
      shows: """
        web.stack:4:18: error[E0210]: "tmpfs": "-1" is not a size
          4 │     tmpfs: "/run:size=-1"
            │                  ^^^^^^^
            = help: write bytes or a number with a unit: 65536, 64k, 512m, 2g
        """),
    DiagnosticCase(
      .badSignal,
      """
      services:
        web:
          command: nginx
          stop_signal: SIGTREM
      """,
      shows: """
        web.stack:4:18: error[E0211]: there is no signal "SIGTREM"
          4 │     stop_signal: SIGTREM
            │                  ^^^^^^^ did you mean "SIGTERM"?
            = help: write a name or a number: SIGTERM, QUIT, 15, SIGRTMIN+3
        """),
    DiagnosticCase(
      .badPath,
      """
      services:
        web:
          command: nginx
          volumes: ["./pages:www"]
          working_dir: srv
      """,
      shows: """
        web.stack:4:24: error[E0212]: a mount's target must be an absolute path
          4 │     volumes: ["./pages:www"]
            │                        ^^^ did you mean "/www"?

        web.stack:5:18: error[E0212]: "working_dir" must be an absolute path
          5 │     working_dir: srv
            │                  ^^^ did you mean "/srv"?
        """),
    DiagnosticCase(
      .badPath,
      """
      services:
        web:
          command: nginx
          volumes: ["pages/1:/www"]
      """,
      shows: """
        web.stack:4:16: error[E0212]: "pages/1" is neither a path nor the name of a volume
          4 │     volumes: ["pages/1:/www"]
            │                ^^^^^^^ did you mean "./pages/1"?
        """),
    DiagnosticCase(
      .badOption,
      """
      services:
        web:
          command: nginx
          volumes: ["./pages:/www:readonly"]
      """,
      shows: """
        web.stack:4:29: error[E0213]: a volume has no option "readonly"
          4 │     volumes: ["./pages:/www:readonly"]
            │                             ^^^^^^^^
            = help: it can have: ro, rw, nocopy, rslave, z, Z
        """),
    DiagnosticCase(
      .badQuoting,
      """
      services:
        web:
          command: sh -c "echo hello
      """,
      shows: """
        web.stack:3:20: error[E0214]: "command" has a quote that is not closed
          3 │     command: sh -c "echo hello
            │                    ^ this " has no partner
        """),
    DiagnosticCase(
      .badQuoting,
      """
      services:
        web:
          command: echo a && echo b
      """,
      shows: """
        web.stack:3:21: error[E0214]: "command" is not run by a shell, so "&" has no meaning in it
          3 │     command: echo a && echo b
            │                     ^
            = help: run a shell: ["sh", "-c", "…"], or quote the "&"
        """),
    DiagnosticCase(
      .badMACAddress,
      """
      services:
        web:
          command: nginx
          networks: {front: {mac_address: "01:00:5e:00:00:01"}}
      networks: {front: }
      """,
      shows: """
        web.stack:4:37: error[E0215]: "01:00:5e:00:00:01" cannot be an interface's own address
          4 │     networks: {front: {mac_address: "01:00:5e:00:00:01"}}
            │                                     ^^^^^^^^^^^^^^^^^^^ it is a group's, or nobody's
        """),
    DiagnosticCase(
      .numberOutOfRange,
      """
      services:
        web:
          command: nginx
          scale: -1
      """,
      shows: """
        web.stack:4:12: error[E0216]: "scale" must be 0 to 10000
          4 │     scale: -1
            │            ^^ -1 is not
        """),
    DiagnosticCase(
      .badVariableName,
      """
      services:
        web:
          command: nginx
          environment: ["=1"]
      """,
      shows: """
        web.stack:4:20: error[E0217]: "" cannot name an environment variable
          4 │     environment: ["=1"]
            │                    ^ a name is not empty and has no =
        """),
    DiagnosticCase(
      .badImage,
      """
      services:
        web:
          image: Nginx:alpine
      """,
      shows: """
        web.stack:3:12: error[E0218]: "Nginx:alpine" has upper-case letters
          3 │     image: Nginx:alpine
            │            ^^^^^^^^^^^^
            = help: write nginx:alpine
        """),
  ]
}
