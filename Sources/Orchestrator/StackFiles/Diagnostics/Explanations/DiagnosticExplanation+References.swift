extension DiagnosticExplanation {
  /// E0101 to E0109: services, networks and volumes that refer to each other.
  static let references: [DiagnosticExplanation] = [
    .init(
      .noServices, "the stack has no services",
      """
      A stack has at least one service. Write `services:`, and under it a name and a command for each.
      """,
      wrong: """
        name: lab
        """,
      mended: """
        name: lab
        services:
          web: {command: [sleep, infinity]}
        """),
    .init(
      .undefinedNetwork, "a service joins a network that is not declared",
      """
      Every network except `default` is declared under `networks:`, if only with empty braces.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [frnt]
        networks:
          front: {}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
        networks:
          front: {}
        """),
    .init(
      .undefinedVolume, "a service mounts a volume that is not declared",
      """
      A source without a slash is the name of a volume, and is declared under `volumes:`. A folder of the
      host begins with `.`, `/` or `~`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["data:/var/lib/data"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["data:/var/lib/data"]
        volumes:
          data: {}
        """),
    .init(
      .undefinedService, "a service that is named does not exist",
      """
      The file has no service of this name. Check the spelling; upper and lower case differ.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [bd]
          db:
            command: [sleep, infinity]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [db]
          db:
            command: [sleep, infinity]
        """),
    .init(
      .selfDependency, "a service depends on itself",
      """
      A service that waits for itself never starts. Name another service, or remove the dependency.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [web]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
        """),
    .init(
      .dependencyCycle, "services depend on each other in a circle",
      """
      Each service of the circle waits for the next, so none can start. One of them must be able to start
      without the other: let it try again until the other answers.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [db]
          db:
            command: [sleep, infinity]
            depends_on: [web]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [db]
          db:
            command: [sleep, infinity]
        """),
    .init(
      .dependencyNeverHealthy, "a service waits for the health of one that has no health check",
      """
      `condition: service_healthy` waits for a successful health check. Give the other service a
      `healthcheck`, or wait with `condition: service_started`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: {db: {condition: service_healthy}}
          db:
            command: [sleep, infinity]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: {db: {condition: service_healthy}}
          db:
            command: [sleep, infinity]
            healthcheck: {test: [CMD, "true"]}
        """),
    .init(
      .dependencyNeverCompletes, "a service waits for the end of one that is always restarted",
      """
      `condition: service_completed_successfully` waits for exit code 0. A service with `restart: always`
      is started again instead.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: {migrate: {condition: service_completed_successfully}}
          migrate:
            command: ["true"]
            restart: always
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: {migrate: {condition: service_completed_successfully}}
          migrate:
            command: ["true"]
            restart: on-failure
        """),
    .init(
      .inactiveDependency, "a service depends on one whose profile is not active",
      """
      A service with `profiles` runs only when one of them is chosen. Add `--profile debug` to the command,
      or let the other service start without it: `required: false`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: [tracer]
          tracer:
            command: [sleep, infinity]
            profiles: [debug]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            depends_on: {tracer: {condition: service_started, required: false}}
          tracer:
            command: [sleep, infinity]
            profiles: [debug]
        """),
    .init(
      .undefinedFile, "a service uses a secret or a config that is not declared",
      """
      What a service names under `secrets` or `configs` must stand under the key of the same name at the top of
      the file, with the place that its contents come from.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            configs: [motd]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            configs: [motd]
        configs:
          motd: {content: welcome}
        """),
    .init(
      .badLinkedService, "a service is linked to something, or takes volumes from something, that is no service",
      """
      `links` of a service, as Compose has it, names other services of the stack, each perhaps with an alias.
      `volumes_from` names services too. A cable between two services is `links:` at the top of the file.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            links: [database:db]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            links: [database:db]
          database:
            command: [sleep, infinity]
        """),
  ]
}
