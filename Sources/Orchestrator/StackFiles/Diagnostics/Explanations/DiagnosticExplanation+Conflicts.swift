extension DiagnosticExplanation {
  /// E0401 to E0480: what only one can have.
  static let conflicts: [DiagnosticExplanation] = [
    .init(
      .hostPortConflict, "a port of the host is published twice",
      """
      One port of one address of the host leads to one service. Choose another host port, publish on another
      address, or leave the host port out for a free one.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
          api:
            command: [sleep, infinity]
            ports: ["8080:8000"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
          api:
            command: [sleep, infinity]
            ports: ["8081:8000"]
        """),
    .init(
      .duplicateContainerName, "a container name is given twice",
      """
      A `container_name` is a further DNS name of one service. Two services with the same name could not be
      told apart.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity], container_name: front}
          api: {command: [sleep, infinity], container_name: front}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity], container_name: front}
          api: {command: [sleep, infinity], container_name: back}
        """),
    .init(
      .duplicateTarget, "two mounts of a service have the same target",
      """
      The second mount would hide the first. Give each its own target.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["./pages:/data", "./images:/data"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["./pages:/data/pages", "./images:/data/images"]
        """),
    .init(
      .scaleConflict, "a service with replicas has something that only one of them can have",
      """
      A fixed address, a host port, a container name or a hardware address belongs to one replica only.
      Leave it out, or give a range of host ports to choose from.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            scale: 3
            ports: ["8080:80"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            scale: 3
            ports: ["8080-8082:80"]
        """),
    .init(
      .nameCollision, "a service or container has the name of another service's replica",
      """
      The replicas of `web` are named `web-1`, `web-2` and so on. No other service can have such a name.
      DNS ignores case, so names that differ in case alone collide too.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity], scale: 2}
          web-2: {command: [sleep, infinity]}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity], scale: 2}
          web-admin: {command: [sleep, infinity]}
        """),
    .init(
      .routerOfOtherFamily, "a route and its router are of different address families",
      """
      The destination and the router of a route are of one address family. A router that is named as a
      service is reached by its address in the right family.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: ["fd00:2::/64 via 10.1.0.3"]
        networks:
          front:
            enable_ipv6: true
            ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            networks: [front]
            routes: ["fd00:2::/64 via fd00:1::3"]
        networks:
          front:
            enable_ipv6: true
            ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}
        """),
  ]
}
