@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about `policies:` and `expect:`.
  static let rules: [DiagnosticCase] = [
    DiagnosticCase(
      .badRule,
      """
      services: {web: {command: a}, db: {command: b}}
      policies:
        - web -> db
        - alow: web -> db
        - {allow: web -> db, deny: any -> db}
        - deny: web - db
      expect:
        - allow: web -> db -> web
      """,
      shows: """
        web.stack:3:5: error[E0501]: a rule is `allow:` or `deny:` with what it is about
          3 │   - web -> db
            │     ^^^^^^^^^ this is text
            = help: write `- allow: web -> db:5432` or `- deny: any -> db`

        web.stack:4:5: error[E0501]: a rule cannot be "alow"
          4 │   - alow: web -> db
            │     ^^^^ did you mean "allow"?
            = help: write `- allow: web -> db:5432` or `- deny: any -> db`

        web.stack:5:24: error[E0501]: a rule says one thing
          5 │   - {allow: web -> db, deny: any -> db}
            │                        ^^^^ "deny" is a second
            = help: begin each rule with a `-` of its own

        web.stack:6:11: error[E0501]: "web - db" does not say who to whom
          6 │   - deny: web - db
            │           ^^^^^^^^
            = help: write one arrow between the two: `web -> db:5432`

        web.stack:8:12: error[E0501]: "web -> db -> web" does not say who to whom
          8 │   - allow: web -> db -> web
            │            ^^^^^^^^^^^^^^^^
            = help: write one arrow between the two: `web -> db:5432`
        """),
    DiagnosticCase(
      .badPeer,
      """
      services: {web: {command: a}, db: {command: b}}
      policies:
        - allow: web,, db -> db
        - allow: we b -> db
        - allow: "10.1.0.7/24 -> db"
        - allow: "label:tier -> db"
        - allow: "network: front -> db"
      """,
      shows: """
        web.stack:3:12: error[E0502]: nobody is named before the arrow
          3 │   - allow: web,, db -> db
            │            ^^^^^^^^^^^^^^
            = help: name a service, or `any` for everybody

        web.stack:4:12: error[E0502]: "we b" names nobody
          4 │   - allow: we b -> db
            │            ^^^^ a service's name is made of a-z, A-Z, 0-9 and _ . -
            = help: it can be a service, a pattern (web*), network:NAME, label:KEY=VALUE, a range (10.0.0.0/8), host, internet or any

        web.stack:5:13: error[E0502]: "10.1.0.7/24" is not a range of addresses
          5 │   - allow: "10.1.0.7/24 -> db"
            │             ^^^^^^^^^^^ did you mean "10.1.0.0/24"?

        web.stack:6:13: error[E0502]: "label:tier" names no label
          6 │   - allow: "label:tier -> db"
            │             ^^^^^^^^^^
            = help: write its value too: label:tier=front

        web.stack:7:13: error[E0502]: "network: front" names no network
          7 │   - allow: "network: front -> db"
            │             ^^^^^^^^^^^^^^ a network's name begins with a-z, A-Z or 0-9
            = help: write the name right after the colon: network:front
        """),
    DiagnosticCase(
      .badRulePort,
      """
      services: {web: {command: a}, db: {command: b}}
      policies:
        - allow: web -> db:http
        - allow: web -> db:70000
        - allow: web -> db:90-80
        - allow: web -> db:80/sctp
        - allow: web -> db:80/icmp
        - allow: "web -> db:"
        - allow: web -> db:80,upd
      """,
      shows: """
        web.stack:3:22: error[E0503]: "http" is not a port
          3 │   - allow: web -> db:http
            │                      ^^^^
            = help: write 80, 8000-8010, 53/udp, tcp, udp or icmp, with commas between several

        web.stack:4:22: error[E0503]: "70000": ports are 1 to 65535
          4 │   - allow: web -> db:70000
            │                      ^^^^^

        web.stack:5:22: error[E0503]: the range 90-80 ends before it begins
          5 │   - allow: web -> db:90-80
            │                      ^^^^^ did you mean "80-90"?

        web.stack:6:22: error[E0503]: "sctp" is not a protocol that rules know
          6 │   - allow: web -> db:80/sctp
            │                      ^^^^^^^
            = help: write 80, 8000-8010, 53/udp, tcp, udp or icmp, with commas between several

        web.stack:7:22: error[E0503]: ICMP has no ports
          7 │   - allow: web -> db:80/icmp
            │                      ^^^^^^^
            = help: write `icmp` alone

        web.stack:8:12: error[E0503]: no port is named after the colon
          8 │   - allow: "web -> db:"
            │            ^^^^^^^^^^^^
            = help: write 80, 8000-8010, 53/udp, tcp, udp or icmp, with commas between several

        web.stack:9:25: error[E0503]: "upd" is not a port
          9 │   - allow: web -> db:80,upd
            │                         ^^^ did you mean "udp"?
            = help: write 80, 8000-8010, 53/udp, tcp, udp or icmp, with commas between several
        """),
    DiagnosticCase(
      .undefinedPeer,
      """
      services:
        web: {command: a, networks: [front]}
        db: {command: b, networks: [front], scale: 2}
      networks: {front: {}}
      policies:
        - allow: webb -> db-2
        - allow: web -> db-3
        - deny: network:frnt -> db
      expect:
        - allow: cache -> db
      """,
      shows: """
        web.stack:6:12: error[E0504]: a rule names undefined service "webb"
          2 │   web: {command: a, networks: [front]}
            │   --- "web" is declared here
          6 │   - allow: webb -> db-2
            │            ^^^^ did you mean "web"?

        web.stack:7:19: error[E0504]: a rule names undefined service "db-3"
          7 │   - allow: web -> db-3
            │                   ^^^^
            = help: the services are: web, db

        web.stack:8:11: error[E0504]: a rule names undefined network "frnt"
          4 │ networks: {front: {}}
            │            ----- "front" is declared here
          8 │   - deny: network:frnt -> db
            │           ^^^^^^^^^^^^ did you mean "front"?

        web.stack:10:12: error[E0504]: a rule names undefined service "cache"
         10 │   - allow: cache -> db
            │            ^^^^^
            = help: the services are: web, db
        """),
    DiagnosticCase(
      .idlePeer,
      """
      services: {web: {command: a, labels: {tier: front}}, db: {command: b}}
      networks: {back: {}}
      policies:
        - allow: api* -> db
        - allow: label:teir=front -> db
        - allow: network:back -> db
      """,
      shows: """
        web.stack:4:12: warning[W0505]: no service's name is like "api*"
          4 │   - allow: api* -> db
            │            ^^^^

        web.stack:5:12: warning[W0505]: no service has the label "teir=front"
          5 │   - allow: label:teir=front -> db
            │            ^^^^^^^^^^^^^^^^ did you mean "label:tier=front"?

        web.stack:6:12: warning[W0505]: no service joins the network "back"
          6 │   - allow: network:back -> db
            │            ^^^^^^^^^^^^
        """),
    DiagnosticCase(
      .shadowedRule,
      """
      services: {web: {command: a}, api: {command: c}, db: {command: b}}
      policies:
        - deny: any -> db
        - allow: web -> db:5432
        - allow: 10.0.0.0/8 -> api:80-90
        - allow: 10.1.0.0/16 -> api:81
      """,
      shows: """
        web.stack:4:12: warning[W0506]: this rule decides nothing: one before it is about all of that
          3 │   - deny: any -> db
            │           --------- all of that is denied here
          4 │   - allow: web -> db:5432
            │            ^^^^^^^^^^^^^^ never allowed
            = help: put it before that one: the first rule that is about a packet decides

        web.stack:6:12: warning[W0506]: this rule decides nothing: one before it is about all of that
          5 │   - allow: 10.0.0.0/8 -> api:80-90
            │            ----------------------- all of that is allowed here
          6 │   - allow: 10.1.0.0/16 -> api:81
            │            ^^^^^^^^^^^^^^^^^^^^^
            = help: leave it out
        """),
    DiagnosticCase(
      .idleRule,
      """
      services: {web: {command: a}}
      policies: [deny: host -> internet]
      """,
      shows: """
        web.stack:2:18: warning[W0507]: no service takes part in "host -> internet"
          2 │ policies: [deny: host -> internet]
            │                  ^^^^^^^^^^^^^^^^
            = help: stack decides on what enters and leaves its own networks
        """),
    DiagnosticCase(
      .ambiguousPeer,
      """
      services: {web: {command: a}, host: {command: b}}
      policies: [deny: web -> host]
      """,
      shows: """
        web.stack:2:25: warning[W0508]: in a rule "host" is not the service of that name
          1 │ services: {web: {command: a}, host: {command: b}}
            │                               ---- the service is named here
          2 │ policies: [deny: web -> host]
            │                         ^^^^
            = help: give the service another name, or a label and write label:KEY=VALUE
        """),
  ]
}
