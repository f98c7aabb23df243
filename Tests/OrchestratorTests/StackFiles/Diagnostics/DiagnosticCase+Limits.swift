@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about what a service may use of the host.
  static let limits: [DiagnosticCase] = [
    DiagnosticCase(
      .limitTooSmall,
      """
      services:
        web:
          command: nginx
          mem_limit: 4m
      """,
      shows: """
        web.stack:4:16: error[E0660]: "mem_limit": "4m" is less than it takes to start a service
          4 │     mem_limit: 4m
            │                ^^ at least 6m
        """),
    DiagnosticCase(
      .badSize,
      """
      services:
        web:
          command: nginx
          mem_limit: 18446744073709551616
      """,
      shows: """
        web.stack:4:16: error[E0210]: "mem_limit": "18446744073709551616" is more than the kernel can count
          4 │     mem_limit: 18446744073709551616
            │                ^^^^^^^^^^^^^^^^^^^^
            = help: leave it out for no limit
        """),
    DiagnosticCase(
      .badSize,
      """
      services:
        web:
          command: nginx
          deploy: {resources: {limits: {memory: 50 parsecs}}}
      """,
      shows: """
        web.stack:4:43: error[E0210]: "memory": "50 parsecs" is not a size
          4 │     deploy: {resources: {limits: {memory: 50 parsecs}}}
            │                                           ^^^^^^^^^^
            = help: write bytes or a number with a unit: 65536, 64k, 512m, 2g
        """),
    DiagnosticCase(
      .limitsDisagree,
      """
      services:
        web:
          command: nginx
          mem_limit: 64m
          deploy: {resources: {limits: {memory: 65m}}}
      """,
      shows: """
        web.stack:4:16: error[E0661]: "mem_limit" and "deploy.resources.limits.memory" are not the same
          4 │     mem_limit: 64m
            │                ^^^
          5 │     deploy: {resources: {limits: {memory: 65m}}}
            │                                           --- the other limit
            = help: leave one of them out
        """),
    DiagnosticCase(
      .limitsDisagree,
      """
      services:
        web:
          command: nginx
          mem_limit: 64m
          memswap_limit: 32m
      """,
      shows: """
        web.stack:5:20: error[E0661]: "memswap_limit" is less than the memory that is in it
          4 │     mem_limit: 64m
            │                --- the memory alone
          5 │     memswap_limit: 32m
            │                    ^^^
            = help: memswap_limit is memory and swap together: write as much as mem_limit for no swap, -1 for all there is
        """),
    DiagnosticCase(
      .limitsDisagree,
      """
      services:
        web:
          command: nginx
          mem_limit: 64m
          mem_reservation: 1g
      """,
      shows: """
        web.stack:5:22: error[E0661]: more memory is reserved than the service may use
          4 │     mem_limit: 64m
            │                --- its limit
          5 │     mem_reservation: 1g
            │                      ^^
        """),
    DiagnosticCase(
      .badProcessorCount,
      """
      services:
        web:
          command: nginx
          cpus: half
      """,
      shows: """
        web.stack:4:11: error[E0662]: "cpus": "half" is not a number of processors
          4 │     cpus: half
            │           ^^^^
            = help: write 0.5 for half of one's time, 2 for two
        """),
    DiagnosticCase(
      .badProcessorCount,
      """
      services:
        web: {command: nginx, cpus: 1.2.3}
        api: {command: nginx, cpus: .}
        db: {command: nginx, cpus: 8193}
      """,
      shows: """
        web.stack:2:31: error[E0662]: "cpus": "1.2.3" is not a number of processors
          2 │   web: {command: nginx, cpus: 1.2.3}
            │                               ^^^^^
            = help: write 0.5 for half of one's time, 2 for two

        web.stack:3:31: error[E0662]: "cpus": "." is not a number of processors
          3 │   api: {command: nginx, cpus: .}
            │                               ^
            = help: write 0.5 for half of one's time, 2 for two

        web.stack:4:30: error[E0662]: "cpus": "8193" is more than any host has
          4 │   db: {command: nginx, cpus: 8193}
            │                              ^^^^ at most 8192
        """),
    DiagnosticCase(
      .badProcessorCount,
      """
      services:
        web:
          command: nginx
          cpus: 0.001
      """,
      shows: """
        web.stack:4:11: error[E0662]: "cpus": "0.001" is less than the kernel can share out
          4 │     cpus: 0.001
            │           ^^^^^ at least 0.01
        """),
    DiagnosticCase(
      .badProcessorList,
      """
      services:
        web:
          command: nginx
          cpuset: 3-1
      """,
      shows: """
        web.stack:4:13: error[E0663]: "cpuset": "3-1" is not a list of processors
          4 │     cpuset: 3-1
            │             ^^^
            = help: write numbers and ranges, from 0: 0-3,6
        """),
    DiagnosticCase(
      .numberOutOfRange,
      """
      services:
        web:
          command: nginx
          pids_limit: -2
      """,
      shows: """
        web.stack:4:17: error[E0216]: "pids_limit" must be -1 to 4194304
          4 │     pids_limit: -2
            │                 ^^ -2 is not
        """),
    DiagnosticCase(
      .missingKey,
      """
      services:
        web:
          command: nginx
          blkio_config: {device_read_bps: [{path: /dev/sda}]}
      """,
      shows: """
        web.stack:4:38: error[E0033]: a device needs a "rate"
          4 │     blkio_config: {device_read_bps: [{path: /dev/sda}]}
            │                                      ^^^^^^^^^^^^^^^^
        """),
  ]
}
