@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about how names are looked up.
  static let names: [DiagnosticCase] = [
    DiagnosticCase(
      .badDomain,
      """
      services:
        web:
          command: nginx
          dns_search: [lab.test, lab..test]
      """,
      shows: """
        web.stack:4:28: error[E0600]: "lab..test" is not a domain
          4 │     dns_search: [lab.test, lab..test]
            │                            ^^^^^^^^^
            = help: write labels of at most 63 characters with dots between: example.com
        """),
    DiagnosticCase(
      .badAddress,
      """
      services:
        web:
          command: nginx
          dns: [192.0.2.1, resolver.test]
      """,
      shows: """
        web.stack:4:22: error[E0207]: "resolver.test" is not an address
          4 │     dns: [192.0.2.1, resolver.test]
            │                      ^^^^^^^^^^^^^
            = help: write the resolver's address, IPv4 or IPv6: 192.0.2.53
        """),
    DiagnosticCase(
      .badOption,
      """
      services:
        web:
          command: nginx
          dns_opt: [ndot:2, timeout, edns0:1]
      """,
      shows: """
        web.stack:4:15: error[E0213]: resolv.conf(5) has no option "ndot"
          4 │     dns_opt: [ndot:2, timeout, edns0:1]
            │               ^^^^^^ did you mean "ndots"?

        web.stack:4:23: error[E0213]: "timeout" needs a number
          4 │     dns_opt: [ndot:2, timeout, edns0:1]
            │                       ^^^^^^^
            = help: write timeout:2

        web.stack:4:32: error[E0213]: "edns0" takes no value
          4 │     dns_opt: [ndot:2, timeout, edns0:1]
            │                                ^^^^^^^
            = help: write edns0
        """),
  ]
}
