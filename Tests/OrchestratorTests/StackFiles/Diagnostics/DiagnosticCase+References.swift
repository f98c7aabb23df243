@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about references.
  static let references: [DiagnosticCase] = [
    DiagnosticCase(
      .noServices,
      """
      services: {}
      """,
      shows: """
        web.stack:1:1: error[E0101]: the stack has no services
          1 │ services: {}
            │ ^^^^^^^^
            = help: write `services:`, and under it a name for each
        """),
    DiagnosticCase(
      .noServices,
      """
      name: lab
      """,
      shows: """
        web.stack:1:1: error[E0101]: the stack has no services
          1 │ name: lab
            │ ^
            = help: write `services:`, and under it a name for each
        """),
    DiagnosticCase(
      .undefinedNetwork,
      """
      services:
        web1:
          command: [nginx]
          # web1 is
          # on the front
          networks: [frnt]
        web2:
          command: [nginx]
          networks: [front]
      networks:
        front: {}
      """,
      shows: """
        web.stack:6:16: error[E0102]: service "web1" joins undefined network "frnt"
          6 │     networks: [frnt]
            │                ^^^^ did you mean "front"?
         11 │   front: {}
            │   ----- "front" is declared here
        """),
    DiagnosticCase(
      .undefinedNetwork,
      """
      services:
        web:
          command: nginx
          networks: {back: {aliases: [www]}}
      """,
      shows: """
        web.stack:4:16: error[E0102]: service "web" joins undefined network "back"
          4 │     networks: {back: {aliases: [www]}}
            │                ^^^^
            = help: declare it: `networks: {back: {}}`
        """),
    DiagnosticCase(
      .undefinedVolume,
      """
      services:
        web:
          command: nginx
          volumes: ["data:/var/lib/data"]
      volumes:
        date: {}
      """,
      shows: """
        web.stack:4:15: error[E0103]: service "web" mounts undefined volume "data"
          4 │     volumes: ["data:/var/lib/data"]
            │               ^^^^^^^^^^^^^^^^^^^^ did you mean "date"?
          6 │   date: {}
            │   ---- "date" is declared here
        """),
    DiagnosticCase(
      .undefinedVolume,
      """
      services:
        web:
          command: nginx
          volumes: [pages:/www]
      """,
      shows: """
        web.stack:4:15: error[E0103]: service "web" mounts undefined volume "pages"
          4 │     volumes: [pages:/www]
            │               ^^^^^^^^^^
            = help: declare it: `volumes: {pages: {}}`; for a folder write "./pages"
        """),
    DiagnosticCase(
      .undefinedService,
      """
      services:
        web:
          command: nginx
          depends_on: [bd]
        db:
          command: db
      """,
      shows: """
        web.stack:4:18: error[E0104]: service "web" depends on undefined service "bd"
          4 │     depends_on: [bd]
            │                  ^^ did you mean "db"?
          5 │   db:
            │   -- "db" is declared here
        """),
    DiagnosticCase(
      .selfDependency,
      """
      services:
        web:
          command: nginx
          depends_on: [web]
      """,
      shows: """
        web.stack:4:18: error[E0105]: service "web" depends on itself
          4 │     depends_on: [web]
            │                  ^^^
        """),
    DiagnosticCase(
      .dependencyCycle,
      """
      services:
        a:
          command: a
          depends_on: [b]
        b:
          command: b
          depends_on: [c]
        c:
          command: c
          depends_on: [a]
      """,
      shows: """
        web.stack:4:18: error[E0106]: services depend on each other in a circle: a -> b -> c -> a
          4 │     depends_on: [b]
            │                  ^ "a" depends on "b"
          7 │     depends_on: [c]
            │                  - "b" depends on "c"
         10 │     depends_on: [a]
            │                  - "c" depends on "a"
            = help: one of them must be able to start without the other
        """),
    DiagnosticCase(
      .dependencyNeverHealthy,
      """
      services:
        web:
          command: nginx
          depends_on:
            db: {condition: service_healthy}
        db:
          command: db
      """,
      shows: """
        web.stack:5:7: error[E0107]: service "web" waits for "db" to be healthy, which has no health check
          5 │       db: {condition: service_healthy}
            │       ^^
          6 │   db:
            │   -- "db" has no `healthcheck:`
            = help: give it one, or wait with `condition: service_started`
        """),
    DiagnosticCase(
      .dependencyNeverCompletes,
      """
      services:
        web:
          command: nginx
          depends_on:
            init: {condition: service_completed_successfully}
        init:
          command: prepare
          restart: always
      """,
      shows: """
        web.stack:5:7: error[E0108]: service "web" waits for "init" to end, which is always restarted
          5 │       init: {condition: service_completed_successfully}
            │       ^^^^
          6 │   init:
            │   ---- "init" is restarted
            = help: write `restart: on-failure` or leave it out there
        """),
    DiagnosticCase(
      .undefinedFile,
      """
      services:
        web:
          command: nginx
          secrets: [key, {source: crt}]
      secrets:
        keys: {file: ./key}
      """,
      shows: """
        web.stack:4:15: error[E0110]: service "web" uses undefined secret "key"
          4 │     secrets: [key, {source: crt}]
            │               ^^^ did you mean "keys"?
            = help: declare it: `secrets: {key: {file: ./key}}`

        web.stack:4:29: error[E0110]: service "web" uses undefined secret "crt"
          4 │     secrets: [key, {source: crt}]
            │                             ^^^
            = help: declare it: `secrets: {crt: {file: ./crt}}`
        """),
    DiagnosticCase(
      .badLinkedService,
      """
      services:
        web:
          command: nginx
          links: [bd:database]
        db: {command: db}
      """,
      shows: """
        web.stack:4:13: error[E0111]: service "web" is linked to "bd", which is no service
          4 │     links: [bd:database]
            │             ^^ did you mean "db"?
            = help: name a service of this file; of another stack, name its container under `external_links:`
        """),
    DiagnosticCase(
      .circularFiles,
      """
      include: [other.yaml]
      services: {web: {command: nginx}}
      """,
      others: ["/lab/other.yaml": "include: [web.stack]"],
      shows: """
        other.yaml:1:11: error[E0016]: the file "web.stack" includes itself
          1 │ include: [web.stack]
            │           ^^^^^^^^^
            = help: take out one of the files' `include:`
        """),
    DiagnosticCase(
      .conflictingInclude,
      """
      include: [other.yaml]
      services: {web: {command: nginx}}
      """,
      others: ["/lab/other.yaml": "services: {web: {command: httpd}}"],
      shows: """
        web.stack:1:11: error[E0017]: an included file has "web" under `services:`, and so has this stack
          1 │ include: [other.yaml]
            │           ^^^^^^^^^^
          2 │ services: {web: {command: nginx}}
            │            --- the stack's own
            ┌ other.yaml:1
          1 │ services: {web: {command: httpd}}
            │            --- included
            = help: rename one of them, or change it in a file that is merged: `path: [other.yaml, changes.yaml]`
        """),
  ]
}
