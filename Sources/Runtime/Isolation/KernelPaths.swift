/// Paths in /proc and /sys that are hidden or read-only in a container, as Docker and crun have it.
package enum KernelPaths {
  package static let readOnlyInProc = ["bus", "fs", "irq", "sys", "sysrq-trigger"]
  /// Below /proc: the parameters of the network namespace of whoever looks.
  package static let networkParameters = "sys/net"
  package static let maskedInProc = [
    "acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list",
    "timer_stats",
  ]
  package static let maskedInSys = ["firmware", "devices/virtual/powercap"]
  /// S_IFCHR and rw for all.
  package static let characterDevice: UInt64 = 0o020666
  package static let devices: [(name: String, major: UInt64, minor: UInt64)] = [
    ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
  ]
  /// The most terminals that one container has open (max= of devpts).
  package static let terminals = 256
  package static let deviceLinks: [(name: String, target: String)] = [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
  ]
}
