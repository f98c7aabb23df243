import Isolation

/// The system calls that a confined process is refused: those that Docker's default profile leaves out.
///
/// The profile names what is allowed and this what is not, as that is the shorter list and the one to think about. What
/// is newer than both is refused too, as unknown: ``SeccompFilter/newest``.
enum SystemCallRefusals {
  /// Refused unless the process has one of the capabilities; what has none is refused to everyone.
  static let rules: [(names: String, unless: CapabilitySet)] = [
    // Not namespaced: what is in it is the host's, or another service's.
    ("add_key keyctl request_key", []),
    // Large, young, or a step of many an exploit, and hardly a server in need of it.
    ("io_uring_setup io_uring_enter io_uring_register userfaultfd", []),
    // The host as a whole.
    ("kexec_load kexec_file_load swapon swapoff pivot_root nfsservctl", []),
    ("move_pages migrate_pages", []),
    // Long gone from the kernel, or as good as.
    ("_sysctl afs_syscall bdflush create_module get_kernel_syms getpmsg putpmsg query_module security sysfs", []),
    ("tuxcall uselib ustat vm86 vm86old vserver", []),

    ("fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree umount umount2", admin),
    ("setdomainname sethostname setns unshare", admin),
    ("fanotify_init lookup_dcookie quotactl quotactl_fd", admin),
    ("bpf", [admin, .init([.bpf])]),
    ("perf_event_open", [admin, .init([.perfmon])]),
    ("syslog", [admin, .init([.syslog])]),
    ("open_by_handle_at", .init([.dacReadSearch])),
    ("reboot", .init([.sysBoot])),
    ("chroot", .init([.sysChroot])),
    ("delete_module finit_module init_module", .init([.sysModule])),
    ("acct", .init([.sysPacct])),
    ("kcmp pidfd_getfd process_madvise", .init([.sysPtrace])),
    ("ioperm iopl", .init([.sysRawio])),
    ("clock_settime clock_settime64 settimeofday stime", .init([.sysTime])),
    ("vhangup", .init([.sysTtyConfig])),
    ("get_mempolicy mbind set_mempolicy set_mempolicy_home_node", .init([.sysNice])),
  ]

  static let admin = CapabilitySet([.sysAdmin])

  static func names(for capabilities: CapabilitySet) -> Set<String> {
    var names: Set<String> = []
    for rule in rules where rule.unless.isDisjoint(with: capabilities) {
      names.formUnion(rule.names.split(separator: " ").map(String.init))
    }
    return names
  }

  /// AF_…: those of no use to a service, of them AF_ALG (38) and AF_VSOCK (40), which lead past the network namespace.
  static let socketFamilies: Set<UInt64> = [12, 19, 20, 23, 25, 34, 37, 38, 40]
  static let lastSocketFamily: UInt64 = 45

  /// SOL_PACKET with PACKET_VNET_HDR and PACKET_VNET_HDR_SZ (linux/if_packet.h). Its header says where a checksum is still to be
  /// written. The host would write it over a port that rules have already looked at.
  static let packetLevel: UInt64 = 263
  static let packetOptions: [UInt64] = [15, 24]

  /// CLONE_NEW… that clone(2) takes: mount, cgroup, uts, ipc, user, pid, network.
  static let namespaceFlags: [UInt64] = [
    CloneFlag.mount, CloneFlag.cgroup, CloneFlag.uts, CloneFlag.ipc, CloneFlag.user, CloneFlag.pid, CloneFlag.network,
  ]

  /// personality(2): Linux, 32-bit Linux, either with the uname of 2.6, and the question which it is.
  static let personalities: [UInt32] = [0, 8, 0x20000, 0x20008, 0xffff_ffff]
}
