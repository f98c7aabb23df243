@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about conflicts.
  static let conflicts: [DiagnosticCase] = [
    DiagnosticCase(
      .hostPortConflict,
      """
      services:
        a:
          command: a
          ports: ["8080:80"]
        b:
          command: b
          ports: ["127.0.0.1:8079-8081:79-81"]
      """,
      shows: """
        web.stack:7:13: error[E0401]: service "b" publishes 8080/tcp, which is published by "a" too
          4 │     ports: ["8080:80"]
            │             --------- 8080 is published here
          7 │     ports: ["127.0.0.1:8079-8081:79-81"]
            │             ^^^^^^^^^^^^^^^^^^^^^^^^^^^
            = help: choose another host port, or leave it out for a free one
        """),
    DiagnosticCase(
      .privilegedInUserNamespace,
      """
      services:
        a:
          command: a
          privileged: true
          userns_mode: private
      """,
      shows: """
        web.stack:5:18: error[E0640]: service "a" is privileged, and in a user namespace nobody is
          5 │     userns_mode: private
            │                  ^^^^^^^
            = help: leave out one of the two; for single rights write `cap_add: [NET_ADMIN]`
        """),
    DiagnosticCase(
      .userBeyondNamespace,
      """
      services:
        a: {command: a, user: "100000:5", userns_mode: private}
      """,
      shows: """
        web.stack:2:25: error[E0641]: a user namespace has no 100000: its ids end at 65535
          2 │   a: {command: a, user: "100000:5", userns_mode: private}
            │                         ^^^^^^^^^^
            │                                                  ------- asked for here
            = help: choose a smaller id, or write `userns_mode: host`
        """),
    DiagnosticCase(
      .duplicateContainerName,
      """
      services:
        a: {command: a, container_name: one}
        b: {command: b, container_name: one}
      """,
      shows: """
        web.stack:3:35: error[E0402]: the container name "one" of service "b" is taken
          2 │   a: {command: a, container_name: one}
            │                                   --- the container is named here
          3 │   b: {command: b, container_name: one}
            │                                   ^^^
        """),
    DiagnosticCase(
      .duplicateTarget,
      """
      services:
        web:
          command: nginx
          volumes: ["./a:/data", "./b:/data/"]
      """,
      shows: """
        web.stack:4:33: error[E0403]: service "web" mounts "/data" twice
          4 │     volumes: ["./a:/data", "./b:/data/"]
            │                                 ^^^^^^ again here
            │                    ----- first here
        """),
    DiagnosticCase(
      .scaleConflict,
      """
      services:
        web:
          command: nginx
          scale: 3
          container_name: www
          ports: ["8080:80", "9000-9001:90", "70"]
          networks: {front: {ipv4_address: 10.1.0.5}}
      networks: {front: {subnet: 10.1.0.0/24}}
      """,
      shows: """
        web.stack:5:21: error[E0404]: service "web" has 3 replicas and one container name
          4 │     scale: 3
            │            - 3 replicas
          5 │     container_name: www
            │                     ^^^
            = help: leave the name out: replicas are web-1 and so on

        web.stack:6:13: error[E0404]: service "web" has 3 replicas and one host port
          4 │     scale: 3
            │            - 3 replicas
          6 │     ports: ["8080:80", "9000-9001:90", "70"]
            │             ^^^^^^^^^
            = help: give a range to choose from, or no host port for a free one

        web.stack:6:24: error[E0404]: service "web" has 3 replicas and 2 host ports
          4 │     scale: 3
            │            - 3 replicas
          6 │     ports: ["8080:80", "9000-9001:90", "70"]
            │                        ^^^^^^^^^^^^^^
            = help: give a range of 3 ports

        web.stack:7:38: error[E0404]: service "web" has 3 replicas and one fixed address
          4 │     scale: 3
            │            - 3 replicas
          7 │     networks: {front: {ipv4_address: 10.1.0.5}}
            │                                      ^^^^^^^^
            = help: leave it out: each replica gets one of its own
        """),
    DiagnosticCase(
      .nameCollision,
      """
      services:
        web: {command: nginx, scale: 2}
        web-2: {command: nginx}
        Web: {command: nginx}
      """,
      shows: """
        web.stack:3:3: error[E0405]: the service name "web-2" is that of replica 2 of service "web"
          2 │   web: {command: nginx, scale: 2}
            │   --- its replicas are web-1 and so on
          3 │   web-2: {command: nginx}
            │   ^^^^^
            = help: choose another name

        web.stack:4:3: error[E0405]: the service names "web" and "Web" differ in case alone
          2 │   web: {command: nginx, scale: 2}
            │   --- the service is named here
          4 │   Web: {command: nginx}
            │   ^^^
        """),
  ]
}
