extension DiagnosticExplanation {
  /// E0660 to E0669: limits, devices and settings of the kernel.
  static let limits: [DiagnosticExplanation] = [
    .init(
      .limitTooSmall, "a limit is too small to start a service",
      """
      Starting a service takes some memory before its program runs. The message says the least that works.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: 4m
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: 16m
        """),
    .init(
      .limitsDisagree, "two limits of a service do not go together",
      """
      One limit contradicts another. `memswap_limit` counts memory and swap together, so it is at least as
      large as `mem_limit`. A soft limit is at most the hard one.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: 64m
            memswap_limit: 32m
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            mem_limit: 64m
            memswap_limit: 96m
        """),
    .init(
      .badProcessorCount, "a number of processors cannot be understood, or is out of range",
      """
      `cpus` is a number of processors' time, such as `0.5` or `2`. The least is 0.01.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            cpus: half
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            cpus: 0.5
        """),
    .init(
      .badProcessorList, "a list of processors cannot be understood",
      """
      `cpuset` is a list of numbers and ranges that count from 0: `0-3,6`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            cpuset: 3-1
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            cpuset: 1-3
        """),
    .init(
      .unknownProcessLimit, "there is no ulimit of that name",
      """
      The names are those of getrlimit(2) in lower case and without `RLIMIT_`: `nofile`, `nproc`, `core`.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            ulimits: {nofiles: 1024}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            ulimits: {nofile: 1024}
        """),
    .init(
      .badSysctl, "the name of a kernel parameter cannot be understood",
      """
      A parameter is named by its path below /proc/sys, with dots or slashes between.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            sysctls: {somaxconn: 1024}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            sysctls: {net.core.somaxconn: 1024}
        """),
    .init(
      .hostSysctl, "a kernel parameter is not the service's own to set",
      """
      Only parameters of the service's own network and ipc namespaces can be set: `net.*`, `fs.mqueue.*`,
      `kernel.msg*`, `kernel.shm*` and `kernel.sem`. Others would change the whole host.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            sysctls: {vm.swappiness: 1}
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            sysctls: {net.ipv4.tcp_syncookies: 1}
        """),
    .init(
      .badDevice, "a device, or a rule for devices, cannot be understood",
      """
      A device is a path of the host, then a path below /dev of the service, then the letters `r`, `w` and
      `m`. A rule is `c 10:200 rwm`: type, major and minor number, letters.
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            devices: ["/dev/fuse:/data/fuse"]
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            devices: ["/dev/fuse:/dev/fuse:rw"]
        """),
    .init(
      .badTimeOffset, "a clock offset cannot be understood, or is too long",
      """
      An offset is a number of whole seconds, minutes, hours or days: `90s`, `1h`, `30d`. A time namespace
      shifts the clocks since boot, and not the time of day (time_namespaces(7)).
      """,
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            time_offset: tomorrow
        """,
      mended: """
        services:
          web:
            command: [sleep, infinity]
            time_offset: 1d
        """),
    .init(
      .badSeccompProfile, "a file is not a seccomp profile",
      """
      A profile has Docker's JSON format: an object with `defaultAction` and a list `syscalls`.
      """,
      wrongBeside: ["echo '{\"syscalls\": []}' >profile.json"],
      wrong: """
        services:
          web:
            command: [sleep, infinity]
            security_opt: ["seccomp:./profile.json"]
        """,
      mendedBeside: ["echo '{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": []}' >profile.json"],
      mended: """
        services:
          web:
            command: [sleep, infinity]
            security_opt: ["seccomp:./profile.json"]
        """),
  ]
}
