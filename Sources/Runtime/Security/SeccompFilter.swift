import CLinux
import CSeccomp
import Glibc
import Isolation
import Kernel
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

  /// The default for a process with these capabilities. It takes a millisecond: keep it.
  ///
  /// The filter lists what is refused, not what is allowed. The kernel loads a filter again for each process, at a cost
  /// that grows with its length. The list of what is refused is a fifth of the other.
  public init(for capabilities: CapabilitySet) throws(KernelError) {
    guard let context = seccomp_init(stack_seccomp_allow()) else {
      throw KernelError("make", "a seccomp filter", errno: .noMemory)
    }
    defer { seccomp_release(context) }
    // A tree, not a chain: the last call in it is found in a few steps.
    try Self.check("arrange", seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
    let compatible = stack_seccomp_compat_arch()
    if compatible != 0 { try Self.check("widen", seccomp_arch_add(context, compatible)) }

    let isAdmin = !capabilities.isDisjoint(with: SystemCallRefusals.admin)
    for name in SystemCallRefusals.names(for: capabilities).sorted() { try Self.refuse(name, in: context) }
    for family in SystemCallRefusals.socketFamilies.sorted() {
      try Self.refuse("socket", [.init(arg: 0, op: SCMP_CMP_EQ, datum_a: family, datum_b: 0)], in: context)
    }
    let last = SystemCallRefusals.lastSocketFamily
    try Self.refuse("socket", [.init(arg: 0, op: SCMP_CMP_GT, datum_a: last, datum_b: 0)], in: context)
    for option in SystemCallRefusals.packetOptions {
      let level = scmp_arg_cmp(arg: 1, op: SCMP_CMP_EQ, datum_a: SystemCallRefusals.packetLevel, datum_b: 0)
      try Self.refuse(
        "setsockopt", [level, .init(arg: 2, op: SCMP_CMP_EQ, datum_a: option, datum_b: 0)], in: context)
    }
    if !isAdmin {
      for flag in SystemCallRefusals.namespaceFlags {
        try Self.refuse("clone", [.init(arg: 0, op: SCMP_CMP_MASKED_EQ, datum_a: flag, datum_b: flag)], in: context)
      }
      // Its flags are in memory, where a filter cannot look; libc then calls clone.
      try Self.refuse("clone3", with: ENOSYS, in: context)
    }
    instructions = Self.beginning(isAdmin: isAdmin) + (try Self.export(context))
  }

  private static func refuse(
    _ name: String, _ conditions: [scmp_arg_cmp] = [], with errno: CInt = EPERM, in context: scmp_filter_ctx
  ) throws(KernelError) {
    let number = seccomp_syscall_resolve_name(name)
    // __NR_SCMP_ERROR: a libseccomp that does not know the name would let the call through.
    guard number != -1 else {
      throw KernelError(
        "refuse \(name) in", "a seccomp filter", errno: .noFunction, remedy: "install libseccomp 2.5.4 or newer")
    }
    try check(
      "refuse \(name) in",
      seccomp_rule_add_array(
        context, stack_seccomp_errno(UInt16(errno)), number, CUnsignedInt(conditions.count), conditions))
  }

  static func check(_ action: String, _ answer: CInt) throws(KernelError) {
    if answer < 0 { throw KernelError(action, "a seccomp filter", errno: Errno(rawValue: -answer)) }
  }

  static func export(_ context: scmp_filter_ctx) throws(KernelError) -> [UInt8] {
    let file = Descriptor(adopting: try Kernel.check("make", "a seccomp filter") { stack_memfd_create("seccomp") })
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

  /// The instructions before libseccomp's program, so that its version does not matter. A call newer than the list does
  /// not exist (ENOSYS), and programs do without it. Of recent calls the harmless are allowed and the rest is refused.
  /// For personality(2) a few values are allowed, which rules of refusal cannot express.
  private static func beginning(isAdmin: Bool) -> [UInt8] {
    let ranges = isAdmin ? recent + [recentForAdmins] : recent
    let personalities = SystemCallRefusals.personalities
    // Offsets into the program, for jumps ahead.
    let refuse = 2 * ranges.count + 3
    let (absent, allow) = (refuse + 1, refuse + 2)
    var program = [BPF(code: 0x20, constant: 0)]
    func jump(_ code: UInt16, _ constant: UInt32, ifTrue: Int? = nil, ifFalse: Int? = nil) {
      let next = program.count + 1
      program.append(
        BPF(
          code: code, ifTrue: UInt8((ifTrue ?? next) - next), ifFalse: UInt8((ifFalse ?? next) - next),
          constant: constant))
    }
    jump(0x35, 451, ifFalse: allow + 1)
    jump(0x25, newest, ifTrue: absent)
    for range in ranges {
      // Below it, the next; not beyond it, allowed.
      jump(0x35, range.lowerBound, ifFalse: program.count + 2)
      jump(0x25, range.upperBound, ifFalse: allow)
    }
    program.append(BPF(code: 0x06, constant: stack_seccomp_errno(UInt16(EPERM))))
    program.append(BPF(code: 0x06, constant: stack_seccomp_errno(UInt16(ENOSYS))))
    program.append(BPF(code: 0x06, constant: stack_seccomp_allow()))

    for architecture in [seccomp_arch_native(), stack_seccomp_compat_arch()] where architecture != 0 {
      let number = seccomp_syscall_resolve_name_arch(architecture, "personality")
      guard number >= 0 else { continue }
      let end = program.count + 6 + personalities.count
      program.append(BPF(code: 0x20, constant: 4))
      jump(0x15, architecture, ifFalse: end)
      program.append(BPF(code: 0x20, constant: 0))
      jump(0x15, UInt32(number), ifFalse: end)
      program.append(BPF(code: 0x20, constant: 16))
      for (index, value) in personalities.enumerated() {
        // The last: anything else is refused by what follows.
        jump(0x15, value, ifTrue: end, ifFalse: index == personalities.count - 1 ? nil : program.count + 1)
      }
      program.append(BPF(code: 0x06, constant: stack_seccomp_errno(UInt16(EPERM))))
    }
    return program.flatMap(\.bytes)
  }

  /// struct sock_filter. Codes: 0x20 load a word of struct seccomp_data (0 the call, 4 the architecture, 16 the first
  /// argument), 0x15 equal, 0x35 at least, 0x25 more than, 0x06 return.
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
