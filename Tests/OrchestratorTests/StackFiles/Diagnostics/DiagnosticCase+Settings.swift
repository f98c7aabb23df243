@testable import StackFiles

extension DiagnosticCase {
  /// Diagnostics about what of the kernel's is set for a service.
  static let settings: [DiagnosticCase] = [
    DiagnosticCase(
      .unknownProcessLimit,
      """
      services:
        web:
          command: nginx
          ulimits: {nofiles: 1024}
      """,
      shows: """
        web.stack:4:15: error[E0664]: there is no ulimit "nofiles"
          4 │     ulimits: {nofiles: 1024}
            │               ^^^^^^^ did you mean "nofile"?
            = help: there are: as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack
        """),
    DiagnosticCase(
      .limitsDisagree,
      """
      services:
        web:
          command: nginx
          ulimits:
            nofile:
              soft: 10
              hard: 5
      """,
      shows: """
        web.stack:6:9: error[E0661]: the ulimit "nofile" begins above what it may be raised to
          6 │         soft: 10
            │         ^^^^^^^^
            = help: soft is what counts, hard the most that the service may make of it
        """),
    DiagnosticCase(
      .badSysctl,
      """
      services:
        web:
          command: nginx
          sysctls: [somaxconn=1]
      """,
      shows: """
        web.stack:4:15: error[E0665]: "somaxconn" cannot name a kernel parameter
          4 │     sysctls: [somaxconn=1]
            │               ^^^^^^^^^
            = help: write it as sysctl does: net.ipv4.ip_forward
        """),
    DiagnosticCase(
      .hostSysctl,
      """
      services:
        web:
          command: nginx
          sysctls: {vm.swappiness: 1}
      """,
      shows: """
        web.stack:4:15: error[E0666]: the sysctl "vm.swappiness" is the whole host's
          4 │     sysctls: {vm.swappiness: 1}
            │               ^^^^^^^^^^^^^
            = help: a service can have its own of net.*, fs.mqueue.*, kernel.msg*, kernel.shm* and kernel.sem
        """),
    DiagnosticCase(
      .hostSysctl,
      """
      services:
        web:
          command: nginx
          ipc: host
          sysctls: {kernel.shmmax: 1}
      """,
      shows: """
        web.stack:5:15: error[E0666]: the sysctl "kernel.shmmax" belongs to the ipc namespace, which is not the service's own
          5 │     sysctls: {kernel.shmmax: 1}
            │               ^^^^^^^^^^^^^
            = help: leave it out, or leave out `ipc:`
        """),
    DiagnosticCase(
      .badDevice,
      """
      services:
        web:
          command: nginx
          devices: ["/dev/sda:/data/disk"]
      """,
      shows: """
        web.stack:4:25: error[E0667]: "/data/disk" is not below /dev, where a service has its devices
          4 │     devices: ["/dev/sda:/data/disk"]
            │                         ^^^^^^^^^^
        """),
    DiagnosticCase(
      .badDevice,
      """
      services:
        web:
          command: nginx
          device_cgroup_rules: [c 1:3]
      """,
      shows: """
        web.stack:4:27: error[E0667]: "c 1:3" is not a rule for devices
          4 │     device_cgroup_rules: [c 1:3]
            │                           ^^^^^
            = help: write a kind, its numbers and what may be done: c 10:200 rwm, b 8:* r
        """),
    DiagnosticCase(
      .badTimeOffset,
      """
      services:
        web:
          command: nginx
          time_offset: 1.5s
      """,
      shows: """
        web.stack:4:18: error[E0668]: "time_offset": "1.5s" is not a time that clocks can be ahead
          4 │     time_offset: 1.5s
            │                  ^^^^
            = help: write whole seconds, at most a century: 1h30m, 30d, -5m
        """),
    DiagnosticCase(
      .undefinedService,
      """
      services:
        web:
          command: nginx
          pid: service:db
      """,
      shows: """
        web.stack:4:18: error[E0104]: service "web" depends on undefined service "db"
          4 │     pid: service:db
            │                  ^^
        """),
    DiagnosticCase(
      .conflictingKeys,
      """
      services:
        web:
          command: nginx
          uts: host
          hostname: web
      """,
      shows: """
        web.stack:5:15: error[E0037]: a service with the host's own host name can have no other
          4 │     uts: host
            │          ---- the host's is asked for here
          5 │     hostname: web
            │               ^^^
        """),
    DiagnosticCase(
      .badSeccompProfile,
      """
      services:
        web:
          command: nginx
          security_opt: [seccomp=p.json]
      """,
      others: ["/lab/p.json": "{\"syscalls\": []}"],
      shows: """
        web.stack:4:20: error[E0669]: "p.json" is not a seccomp profile
          4 │     security_opt: [seccomp=p.json]
            │                    ^^^^^^^^^^^^^^ it has no "defaultAction"
            = help: write it in Docker's format: {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": […]}
        """),
  ]
}
