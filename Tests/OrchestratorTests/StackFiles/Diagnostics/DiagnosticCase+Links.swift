@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about what befalls packets on links.
  static let links: [DiagnosticCase] = [
    DiagnosticCase(
      .badRate,
      """
      services:
        web:
          command: nginx
          networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
      networks: {a: , b: , c: , d: , e: }
      """,
      shows: """
        web.stack:4:26: error[E0620]: "rate": "10mbps" could be bits or octets a second
          4 │     networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
            │                          ^^^^^^ did you mean "10mbit"?
            = help: write bits a second: 64kbit, 10mbit, 1.5gbit

        web.stack:4:45: error[E0620]: "rate": "10" has no unit
          4 │     networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
            │                                             ^^ did you mean "10mbit"?
            = help: write bits a second: 64kbit, 10mbit, 1.5gbit

        web.stack:4:60: error[E0620]: "rate": "5mib" has the unit "mib", which is unknown
          4 │     networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
            │                                                            ^^^^
            = help: write bits a second: 64kbit, 10mbit, 1.5gbit

        web.stack:4:77: error[E0620]: "rate": "100bit" is not within 1kbit to 1tbit
          4 │     networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
            │                                                                             ^^^^^^

        web.stack:4:96: error[E0620]: "rate": "fast" is not a rate
          4 │     networks: {a: {rate: 10mbps}, b: {rate: 10}, c: {rate: 5mib}, d: {rate: 100bit}, e: {rate: fast}}
            │                                                                                                ^^^^
            = help: write bits a second: 64kbit, 10mbit, 1.5gbit
        """),
    DiagnosticCase(
      .badShare,
      """
      services:
        web:
          command: nginx
          networks: {a: {loss: 1, duplicate: 101%, corrupt: some, ingress: {loss: 0.00001%}}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:26: error[E0621]: "loss": "1" has no unit
          4 │     networks: {a: {loss: 1, duplicate: 101%, corrupt: some, ingress: {loss: 0.00001%}}}
            │                          ^ did you mean "1%"?
            = help: write a percentage: 1%, 0.05%

        web.stack:4:40: error[E0621]: "duplicate": "101%" is more than all packets
          4 │     networks: {a: {loss: 1, duplicate: 101%, corrupt: some, ingress: {loss: 0.00001%}}}
            │                                        ^^^^ at most 100%

        web.stack:4:55: error[E0621]: "corrupt": "some" is not a share
          4 │     networks: {a: {loss: 1, duplicate: 101%, corrupt: some, ingress: {loss: 0.00001%}}}
            │                                                       ^^^^
            = help: write a percentage: 1%, 0.05%

        web.stack:4:77: error[E0621]: "loss": "0.00001%" is finer than a millionth, 0.0001%
          4 │     networks: {a: {loss: 1, duplicate: 101%, corrupt: some, ingress: {loss: 0.00001%}}}
            │                                                                             ^^^^^^^^
        """),
    DiagnosticCase(
      .jitterWithoutDelay,
      """
      services:
        web:
          command: nginx
          networks: {a: {jitter: 5ms}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:28: error[E0622]: jitter varies a delay, and there is none
          4 │     networks: {a: {jitter: 5ms}}
            │                            ^^^
            = help: give a delay that is at least as long: `delay: 5ms`
        """),
    DiagnosticCase(
      .jitterExceedsDelay,
      """
      services:
        web:
          command: nginx
          networks: {a: {jitter: 5ms, delay: 10ms, egress: {delay: 2ms}}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:28: error[E0623]: the jitter is longer than the delay
          4 │     networks: {a: {jitter: 5ms, delay: 10ms, egress: {delay: 2ms}}}
            │                            ^^^ no packet arrives before it was sent
            │                                                              --- the delay
        """),
    DiagnosticCase(
      .reorderWithoutDelay,
      """
      services:
        web:
          command: nginx
          networks: {a: {ingress: {reorder: 25%}}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:39: error[E0624]: packets overtake those that are delayed, and none is
          4 │     networks: {a: {ingress: {reorder: 25%}}}
            │                                       ^^^
            = help: give a delay: `delay: 10ms`
        """),
    DiagnosticCase(
      .badDuration,
      """
      services:
        web:
          command: nginx
          networks: {a: {delay: 2m}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:27: error[E0209]: "delay" is not within 0s to 1m
          4 │     networks: {a: {delay: 2m}}
            │                           ^^ no link is that long
        """),
    DiagnosticCase(
      .unknownKey,
      """
      services:
        web:
          command: nginx
          networks: {a: {ingress: {los: 1%}}}
      networks: {a: }
      """,
      shows: """
        web.stack:4:30: error[E0030]: a direction of a link has no key "los"
          4 │     networks: {a: {ingress: {los: 1%}}}
            │                              ^^^ did you mean "loss"?
        """),
    DiagnosticCase(
      .unknownKey,
      """
      services:
        a: {command: nginx}
        b: {command: nginx}
      links:
        - {ends: {a: 10.0.0.1/30, b: 10.0.0.2/30}, cost: 10}
      """,
      shows: """
        web.stack:5:46: error[E0030]: a link has no key "cost"
          5 │   - {ends: {a: 10.0.0.1/30, b: 10.0.0.2/30}, cost: 10}
            │                                              ^^^^
            = help: it has corrupt, delay, duplicate, endpoints, ends, ipv6, jitter, loss, mtu, rate, reorder
        """),
  ]
}
