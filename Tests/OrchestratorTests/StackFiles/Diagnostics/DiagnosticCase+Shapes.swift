@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about keys and shapes.
  static let shapes: [DiagnosticCase] = [
    DiagnosticCase(
      .unknownKey,
      """
      services:
        web:
          command: nginx
          comand: nginx
      """,
      shows: """
        web.stack:4:5: error[E0030]: a service has no key "comand"
          4 │     comand: nginx
            │     ^^^^^^ did you mean "command"?
        """),
    DiagnosticCase(
      .unknownKey,
      """
      servces: {}
      services:
        web:
          command: nginx
      """,
      shows: """
        web.stack:1:1: error[E0030]: a stack has no key "servces"
          1 │ servces: {}
            │ ^^^^^^^ did you mean "services"?
        """),
    DiagnosticCase(
      .unknownKey,
      """
      services:
        web:
          command: nginx
          flavour: vanilla
      """,
      shows: """
        web.stack:4:5: error[E0030]: a service has no key "flavour"
          4 │     flavour: vanilla
            │     ^^^^^^^
            = help: docs/stack-file.md has its keys, and so has `stack config --schema`
        """),
    DiagnosticCase(
      .notSupported,
      """
      services:
        web:
          command: nginx
          gpus: all
      """,
      shows: """
        web.stack:4:5: error[E0031]: "gpus" is not supported
          4 │     gpus: all
            │     ^^^^
            = help: leave it out: a service has no devices of the host, but those of `devices:`
        """),
    DiagnosticCase(
      .notSupported,
      """
      services:
        web:
          command: nginx
          deploy:
            resources: {reservations: {devices: []}}
      """,
      shows: """
        web.stack:5:34: error[E0031]: "devices" is not supported
          5 │       resources: {reservations: {devices: []}}
            │                                  ^^^^^^^
            = help: name devices with the service's `devices:`
        """),
    DiagnosticCase(
      .wrongShape,
      """
      services:
        web:
          command: nginx
          ports: 8080:80
      """,
      shows: """
        web.stack:4:12: error[E0032]: "ports" must be a list
          4 │     ports: 8080:80
            │            ^^^^^^^ this is text
        """),
    DiagnosticCase(
      .wrongShape,
      """
      services:
        web:
          command: nginx
          tty: maybe
      """,
      shows: """
        web.stack:4:10: error[E0032]: "tty" must be true or false
          4 │     tty: maybe
            │          ^^^^^ this is text
        """),
    DiagnosticCase(
      .wrongShape,
      """
      - web
      """,
      shows: """
        web.stack:1:1: error[E0032]: a stack file is a mapping
          1 │ - web
            │ ^^^^^ this is a list
            = help: it has at least `services:`
        """),
    DiagnosticCase(
      .missingKey,
      """
      services:
        web:
          command: nginx
          ports:
            - published: 8080
      """,
      shows: """
        web.stack:5:9: error[E0033]: a port needs a "target"
          5 │       - published: 8080
            │         ^^^^^^^^^^^^^^^
            = help: write `target: 80`, the port inside the service
        """),
    DiagnosticCase(
      .missingKey,
      """
      services:
        web:
          command: nginx
          healthcheck: {interval: 5s}
      """,
      shows: """
        web.stack:4:5: error[E0033]: a health check needs a "test"
          4 │     healthcheck: {interval: 5s}
            │     ^^^^^^^^^^^
            = help: write `test: [CMD, curl, -f, localhost]`
        """),
    DiagnosticCase(
      .badChoice,
      """
      services:
        web:
          command: nginx
          depends_on:
            db: {condition: service_health}
        db: {command: db}
      """,
      shows: """
        web.stack:5:23: error[E0034]: "condition" cannot be "service_health"
          5 │       db: {condition: service_health}
            │                       ^^^^^^^^^^^^^^ did you mean "service_healthy"?
            = help: it can be: service_started, service_healthy, service_completed_successfully
        """),
    DiagnosticCase(
      .badChoice,
      """
      services:
        web:
          command: nginx
          restart: allways
      """,
      shows: """
        web.stack:4:14: error[E0034]: "restart" cannot be "allways"
          4 │     restart: allways
            │              ^^^^^^^ did you mean "always"?
            = help: it can be: no, always, on-failure, on-failure:3, unless-stopped
        """),
    DiagnosticCase(
      .emptyText,
      """
      services:
        web:
          command: nginx
          cap_add: [""]
      """,
      shows: """
        web.stack:4:15: error[E0035]: "cap_add" is empty
          4 │     cap_add: [""]
            │               ^^
        """),
    DiagnosticCase(
      .ignoredKey,
      """
      version: "3.8"
      services:
        web:
          command: nginx
          pull_policy: always
      """,
      shows: """
        web.stack:1:1: note[N0036]: "version" has no effect: Compose has given it up too
          1 │ version: "3.8"
            │ ^^^^^^^

        web.stack:5:5: note[N0036]: "pull_policy" has no effect: the service has no image
          5 │     pull_policy: always
            │     ^^^^^^^^^^^
        """),
    DiagnosticCase(
      .ignoredKey,
      """
      services:
        web:
          image: nginx
          rootfs: ./nginx
          command: nginx
      """,
      shows: """
        web.stack:3:5: note[N0036]: "image" has no effect: "rootfs" says what the root is
          3 │     image: nginx
            │     ^^^^^
        """),
    DiagnosticCase(
      .conflictingKeys,
      """
      services:
        web:
          command: nginx
          scale: 2
          deploy: {replicas: 3}
      """,
      shows: """
        web.stack:4:12: error[E0037]: "scale" is 2 and "replicas" is 3
          4 │     scale: 2
            │            ^
          5 │     deploy: {replicas: 3}
            │                        - the other number
            = help: leave one of them out
        """),
    DiagnosticCase(
      .conflictingKeys,
      """
      services:
        web:
          command: nginx
          x-stack:
            command: sleep
      """,
      shows: """
        web.stack:5:7: error[E0037]: "command" is given twice
          3 │     command: nginx
            │     ------- first here
          5 │       command: sleep
            │       ^^^^^^^ again here
        """),
    DiagnosticCase(
      .nothingToRun,
      """
      services:
        web: {}
        api:
        db: {command: []}
      """,
      shows: """
        web.stack:2:3: error[E0038]: service "web" has nothing to run
          2 │   web: {}
            │   ^^^
            = help: give it a `command:`: there is no image to say what runs

        web.stack:3:3: error[E0038]: service "api" has nothing to run
          3 │   api:
            │   ^^^
            = help: give it a `command:`

        web.stack:4:17: error[E0038]: service "db" has an empty command
          4 │   db: {command: []}
            │                 ^^
            = help: give it a `command:`: there is no image to say what runs
        """),
  ]
}
