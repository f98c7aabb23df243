import CSeccomp
import Glibc
import Isolation
import Kernel
import SystemPackage

extension SeccompFilter {
  /// Compiles a profile with libseccomp for a process with these capabilities. Calls that libseccomp or this machine
  /// does not know are skipped, as by Docker: then the default counts for them.
  public init(_ profile: SeccompProfile, for capabilities: CapabilitySet) throws(KernelError) {
    guard let context = seccomp_init(Self.action(profile.defaultAction, profile.defaultErrnoRet)) else {
      throw KernelError("make", "a seccomp filter", errno: .noMemory)
    }
    defer { seccomp_release(context) }
    // no_new_privs is ours to set, before or not at all.
    try Self.check("arrange", seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0))
    try Self.check("arrange", seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
    for architecture in Self.architectures(of: profile) {
      let number = seccomp_arch_resolve_name(architecture)
      guard number != 0, number != seccomp_arch_native() else { continue }
      let answer = seccomp_arch_add(context, number)
      // EEXIST, and EDOM for one whose bytes are in another order.
      if answer < 0, answer != -EEXIST, answer != -EDOM { try Self.check("widen", answer) }
    }
    let kernel = Self.kernelVersion()
    for rule in profile.syscalls ?? []
    where rule.applies(to: capabilities, architecture: Self.machine, kernel: kernel)
      && rule.action != profile.defaultAction
      || rule.errnoRet != nil
        && rule.applies(to: capabilities, architecture: Self.machine, kernel: kernel)
        && rule.errnoRet != profile.defaultErrnoRet
    {
      try Self.add(rule, to: context)
    }
    guard let filter = SeccompFilter(instructions: try Self.export(context)) else {
      throw KernelError(
        "use", "a seccomp filter", errno: Errno(rawValue: E2BIG),
        detail: "the profile comes to more than 4,096 instructions")
    }
    self = filter
  }

  /// Docker's names of architectures: amd64, arm64.
  #if arch(x86_64)
    static let machine = "amd64"
  #elseif arch(arm64)
    static let machine = "arm64"
  #else
    static let machine = "unknown"
  #endif

  private static func add(_ rule: SeccompProfile.Rule, to context: scmp_filter_ctx) throws(KernelError) {
    let action = action(rule.action, rule.errnoRet)
    let arguments = (rule.args ?? []).map { argument in
      scmp_arg_cmp(
        arg: argument.index, op: comparison(argument.op), datum_a: argument.value, datum_b: argument.valueTwo ?? 0)
    }
    // Several tests of one argument cannot stand in one rule: then each is a rule by itself, as by Docker.
    let isApart = Set(arguments.map(\.arg)).count < arguments.count
    for name in rule.calls {
      let number = seccomp_syscall_resolve_name(name)
      if number == -1 { continue }
      for list in isApart ? arguments.map({ [$0] }) : [arguments] {
        let answer = seccomp_rule_add_array(context, action, number, CUnsignedInt(list.count), list)
        // EDOM: a call that one of the architectures has no way to test.
        if answer < 0, answer != -EEXIST, answer != -EDOM { try check("put \(name) in", answer) }
      }
    }
  }

  /// The machine's own and those that it also runs.
  private static func architectures(of profile: SeccompProfile) -> [String] {
    var names = profile.architectures ?? []
    let native = ["amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"][machine] ?? ""
    for entry in profile.archMap ?? [] where entry.architecture == native { names += entry.subArchitectures ?? [] }
    // As seccomp_arch_resolve_name(3) has them: x86_64.
    return names.filter { $0.hasPrefix("SCMP_ARCH_") }.map { $0.dropFirst("SCMP_ARCH_".count).lowercased() }
  }

  private static func action(_ action: SeccompProfile.Action, _ errno: UInt16?) -> UInt32 {
    switch action {
    case .allow: stack_seccomp_allow()
    case .errno: stack_seccomp_errno(errno ?? UInt16(EPERM))
    case .kill, .killThread: stack_seccomp_kill_thread()
    case .killProcess: stack_seccomp_kill_process()
    case .trap: stack_seccomp_trap()
    case .log: stack_seccomp_log()
    }
  }

  private static func comparison(_ comparison: SeccompProfile.Comparison) -> scmp_compare {
    switch comparison {
    case .notEqual: SCMP_CMP_NE
    case .less: SCMP_CMP_LT
    case .atMost: SCMP_CMP_LE
    case .equal: SCMP_CMP_EQ
    case .atLeast: SCMP_CMP_GE
    case .more: SCMP_CMP_GT
    case .maskedEqual: SCMP_CMP_MASKED_EQ
    }
  }

  private static func kernelVersion() -> String {
    var names = utsname()
    uname(&names)
    return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
