extension DiagnosticExplanation {
  /// E0201 to E0217: single values.
  static let values: [DiagnosticExplanation] = [
    .init(
      .badName, "a name has a character or a length that is not allowed",
      """
      Names of services, networks and volumes become parts of paths and DNS names. They begin with a letter
      or digit and go on with letters, digits, `_`, `.` and `-`, 63 in all. A stack's name has neither
      capitals nor dots.
      """,
      wrong: """
        services:
          web/1:
            command: [sleep, infinity]
        """,
      mended: """
        services:
          web-1:
            command: [sleep, infinity]
        """),
    .init(
      .badHostname, "a host name has a character or a length that is not allowed",
      """
      A host name is made of parts with dots between. A part is made of letters, digits, `_` and `-`, and
      neither begins nor ends with `-`. The kernel takes 64 bytes in all (sethostname(2)).
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            hostname: web!
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            hostname: web
        """),
    .init(
      .badPort, "a port cannot be understood",
      """
      Ports are numbers. The short form is `host:container`, with an address of the host before it and
      `/udp` after it where needed.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:http"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
        """),
    .init(
      .portOutOfRange, "a port is not in 1...65535",
      """
      TCP and UDP ports have 16 bits, and 0 is reserved. To get a free port of the host, leave it out:
      `ports: ["80"]`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["80800:80"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8080:80"]
        """),
    .init(
      .backwardsRange, "a range ends before it begins",
      """
      A range of ports is written from the lower port to the higher one.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8002-8000:80-82"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8000-8002:80-82"]
        """),
    .init(
      .rangeLengths, "the host's and the service's ranges of ports differ in length",
      """
      The first port of the host's range leads to the first port of the service, and so on. So both ranges
      have the same length. A range of the host with one port of the service chooses one that is free.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8000-8002:80-81"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["8000-8001:80-81"]
        """),
    .init(
      .badAddress, "an address cannot be understood, or is of the wrong family",
      """
      An IPv4 address is four numbers from 0 to 255, without leading zeros. An IPv6 address is written as in
      RFC 4291. Names are not looked up here.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["localhost:8080:80"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ports: ["127.0.0.1:8080:80"]
        """),
    .init(
      .badSubnet, "a subnet is not written as address/length, or has bits beyond its length",
      """
      A subnet is the network's address and the length of its prefix. All bits after the prefix are zero.
      """,
      wrong: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {subnet: 10.1.0.1/24}
        """,
      mended: """
        services:
          web: {command: [sleep, infinity]}
        networks:
          default: {subnet: 10.1.0.0/24}
        """),
    .init(
      .badDuration, "a duration cannot be understood or is too long",
      """
      A duration is a number with a unit: `500ms`, `10s`, `1m30s`, `2h`. A number without a unit is refused,
      since readers disagree about what it means.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            stop_grace_period: 10
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            stop_grace_period: 10s
        """),
    .init(
      .badSize, "a size in bytes cannot be understood or is too large",
      """
      A size is a number of bytes, or a number with one of the units `k`, `m`, `g`, `t` and `p`. The units
      are powers of 1024.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: half
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: 512m
        """),
    .init(
      .badSignal, "there is no signal of that name or number",
      """
      Signals are named as in signal(7), with or without `SIG`, or given by number.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            stop_signal: SIGTREM
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            stop_signal: SIGTERM
        """),
    .init(
      .badPath, "a path is not of the kind that is needed",
      """
      A path inside a service is absolute. A path of the host that is relative begins with `./`, so that it
      cannot be taken for the name of a volume.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            working_dir: srv
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            working_dir: /srv
        """),
    .init(
      .badOption, "an option is unknown",
      """
      A mount, a `security_opt` or a `dns_opt` has an option that `stack` does not know. The message lists
      those that exist.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["./pages:/www:readonly"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            volumes: ["./pages:/www:ro"]
        """),
    .init(
      .badQuoting, "a quote in a command is not closed",
      """
      A command that is text is split into words by the shell's rules for quotes. No shell runs it, so `&&`,
      `|` and `>` have no meaning. Run a shell to use them: `[sh, -c, "a && b"]`.
      """,
      wrong: """
        services:
          web:
            command: sh -c "echo hello
        """,
      mended: """
        services:
          web:
            command: sh -c "echo hello"
        """),
    .init(
      .badMACAddress, "a hardware address cannot be understood, or is a group's",
      """
      A hardware address is six octets in hexadecimal, with colons between. The lowest bit of the first
      octet marks groups (multicast), and no interface can have such an address.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            mac_address: "01:00:5e:00:00:01"
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            mac_address: "02:42:0a:07:00:09"
        """),
    .init(
      .numberOutOfRange, "a number is too small or too large",
      """
      The message says which numbers the key takes.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            scale: -1
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            scale: 1
        """),
    .init(
      .badVariableName, "the name of an environment variable is empty or has a character that is not allowed",
      """
      The kernel passes variables as `NAME=value`. So a name is not empty and holds neither `=` nor NUL.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            environment: ["=info"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            environment: ["LEVEL=info"]
        """),
    .init(
      .badImage, "a text names no image",
      """
      An image is named as with Docker: `[registry/]name[:tag][@digest]`. The name has lower-case letters,
      digits and single separators. The registry is docker.io unless the first part has a dot or a port, or is
      localhost. An image may also be in a folder or a file of the host: `oci:./folder`,
      `docker-archive:./file.tar`.
      """,
      wrong: """
        services:
          web:
            image: Nginx:alpine
        """,
      mended: """
        services:
          web:
            image: nginx:alpine
        """),
  ]
}
