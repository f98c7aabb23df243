import CLinux
import CSeccomp
import Glibc
public import Kernel
import SystemPackage

/// A program that decides on each system call of a process, ready for the kernel (seccomp(2)).
public struct SeccompFilter: Hashable, Sendable {
  /// struct sock_filter, one after the other (linux/filter.h).
  public let instructions: [UInt8]

  /// Takes what ``instructions`` of another were; nil when it cannot be a program.
  public init?(instructions: [UInt8]) {
    guard !instructions.isEmpty, instructions.count % 8 == 0, instructions.count / 8 <= 4096 else { return nil }
    self.instructions = instructions
  }

  /// The default for a process with these capabilities. It takes milliseconds: keep it.
  public init(for capabilities: CapabilitySet) throws(KernelError) {
    guard let context = seccomp_init(stack_seccomp_errno(UInt16(EPERM))) else {
      throw KernelError("make", "a seccomp filter", errno: .noMemory)
    }
    defer { seccomp_release(context) }
    // A tree, not a chain: the last call in it is found in nine steps.
    try Self.check("arrange", seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
    let compatible = stack_seccomp_compat_arch()
    if compatible != 0 { try Self.check("widen", seccomp_arch_add(context, compatible)) }

    let isAdmin = !capabilities.isDisjoint(with: SystemCallRefusals.admin)
    var decided = SystemCallRefusals.names(for: capabilities).union(["socket", "personality"])
    if !isAdmin { decided.formUnion(["clone", "clone3"]) }
    for name in Self.names(of: [seccomp_arch_native(), compatible]) where !decided.contains(name) {
      try Self.allow(name, [], in: context)
    }
    try Self.allow("socket", [.init(arg: 0, op: SCMP_CMP_LT, datum_a: 12, datum_b: 0)], in: context)
    for family in 12...SystemCallRefusals.lastSocketFamily where !SystemCallRefusals.socketFamilies.contains(family) {
      try Self.allow("socket", [.init(arg: 0, op: SCMP_CMP_EQ, datum_a: family, datum_b: 0)], in: context)
    }
    for number in SystemCallRefusals.personalities {
      try Self.allow("personality", [.init(arg: 0, op: SCMP_CMP_EQ, datum_a: number, datum_b: 0)], in: context)
    }
    if !isAdmin {
      let flags = SystemCallRefusals.namespaceFlags
      try Self.allow("clone", [.init(arg: 0, op: SCMP_CMP_MASKED_EQ, datum_a: flags, datum_b: 0)], in: context)
      // Its flags are in memory, where a filter cannot look; libc then calls clone.
      try Self.check(
        "refuse clone3 in",
        seccomp_rule_add_array(
          context, stack_seccomp_errno(UInt16(ENOSYS)), seccomp_syscall_resolve_name("clone3"), 0, nil))
    }
    instructions = Self.beginning(isAdmin: isAdmin) + (try Self.export(context))
  }

  /// Names that libseccomp has for the calls of these architectures.
  private static func names(of architectures: [UInt32]) -> Set<String> {
    var names: Set<String> = []
    for architecture in architectures where architecture != 0 {
      for number in CInt(0)..<512 {
        guard let name = seccomp_syscall_resolve_num_arch(architecture, number) else { continue }
        names.insert(String(cString: name))
        free(name)
      }
    }
    return names
  }

  private static func allow(
    _ name: String, _ conditions: [scmp_arg_cmp], in context: scmp_filter_ctx
  ) throws(KernelError) {
    let number = seccomp_syscall_resolve_name(name)
    // __NR_SCMP_ERROR: a name of the other architecture alone that this one cannot even stand for.
    if number == -1 { return }
    try check(
      "allow \(name) in",
      seccomp_rule_add_array(context, stack_seccomp_allow(), number, CUnsignedInt(conditions.count), conditions))
  }

  private static func check(_ action: String, _ answer: CInt) throws(KernelError) {
    if answer < 0 { throw KernelError(action, "a seccomp filter", errno: Errno(rawValue: -answer)) }
  }

  private static func export(_ context: scmp_filter_ctx) throws(KernelError) -> [UInt8] {
    let file = Descriptor(adopting: try Runtime.check("make", "a seccomp filter") { stack_memfd_create("seccomp") })
    try check("write", seccomp_export_bpf(context, file.rawValue))
    lseek(file.rawValue, 0, SEEK_SET)
    return try file.read(upTo: 4096 * 8, path: "a seccomp filter")
  }

  // MARK: Newer than libseccomp

  /// The last system call that the refusals were chosen with in mind: removexattrat, of Linux 6.13. From 424 on all
  /// architectures have the same numbers.
  static let newest: UInt32 = 466
  /// Calls that the libseccomp of a distribution that is still in use does not know: cachestat, fchmodat2,
  /// map_shadow_stack, futex_wake, futex_wait, futex_requeue, statmount, listmount; mseal, …xattrat.
  private static let recent: [ClosedRange<UInt32>] = [451...458, 462...466]
  /// lsm_…
  private static let recentForAdmins: ClosedRange<UInt32> = 459...461

  /// What comes before libseccomp's program, so that it depends on no version of it: what is newer than the list does not
  /// exist (a program that asks then does without), what is recent and harmless is allowed.
  private static func beginning(isAdmin: Bool) -> [UInt8] {
    let ranges = isAdmin ? recent + [recentForAdmins] : recent
    let tests = UInt8(2 * ranges.count + 1)
    var program = [
      BPF(code: 0x20, constant: 0),
      BPF(code: 0x35, ifFalse: tests + 3, constant: 451),
      BPF(code: 0x25, ifTrue: tests, constant: newest),
    ]
    var left = tests - 1
    for range in ranges {
      // Below it, the next; not beyond it, allowed.
      program.append(BPF(code: 0x35, ifFalse: 1, constant: range.lowerBound))
      program.append(BPF(code: 0x25, ifFalse: left, constant: range.upperBound))
      left -= 2
    }
    program.append(BPF(code: 0x05, constant: 2))
    program.append(BPF(code: 0x06, constant: stack_seccomp_errno(UInt16(ENOSYS))))
    program.append(BPF(code: 0x06, constant: stack_seccomp_allow()))
    return program.flatMap(\.bytes)
  }

  /// struct sock_filter. Codes: 0x20 load a word, 0x35 at least, 0x25 more than, 0x05 jump, 0x06 return.
  private struct BPF {
    var code: UInt16
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var constant: UInt32

    var bytes: [UInt8] {
      withUnsafeBytes(of: code, Array.init) + [ifTrue, ifFalse] + withUnsafeBytes(of: constant, Array.init)
    }
  }
}
