import CLinux
import Isolation
import Kernel

/// The privileges of a process: capabilities and the filter of its system calls.
public struct Confinement: Hashable, Sendable {
  /// The most it and what it executes can have. What the caller itself has not is left out.
  public var capabilities = CapabilitySet.standard
  /// The part of `capabilities` that a user other than root gets. Programs it executes have them too (ambient).
  public var ambient: CapabilitySet = []
  /// Executing a set-user-ID program, or one with file capabilities, gives no privileges (PR_SET_NO_NEW_PRIVS).
  public var noNewPrivileges = true
  /// Paths of /proc and /sys that reach the kernel as a whole are hidden or read-only.
  public var masksKernelPaths = true
  /// Decides on its system calls and on those of what it starts. `nil`: all are allowed.
  public var filter: SeccompFilter?

  public init() {}

  /// Everything that the caller may do itself.
  public static let none = {
    var confinement = Confinement()
    confinement.capabilities = .all
    confinement.ambient = .all
    confinement.noNewPrivileges = false
    confinement.masksKernelPaths = false
    return confinement
  }()
}

extension Program {
  /// Becomes the user, with no more privileges than the confinement leaves it. The last thing before exec.
  mutating func drop(to credentials: Credentials, _ confinement: Confinement) throws(KernelError) {
    let isRoot = credentials.uid == 0
    let ambient = isRoot ? [] : confinement.ambient.intersection(confinement.capabilities)
    // While there is still the right to.
    if !confinement.noNewPrivileges { try install(confinement.filter) }
    try add(
      STACK_OP_BOUNDING_SET, for: "limit", "the capabilities", number: confinement.capabilities.rawValue)
    if !ambient.isEmpty {
      try add(
        STACK_OP_PRCTL, for: "keep", "the capabilities", flags: ProcessControl.keepCapabilities, number: 1)
    }
    try drop(to: credentials)
    try add(
      STACK_OP_CAPABILITIES, for: "set", "the capabilities", flags: ambient.rawValue,
      number: isRoot ? confinement.capabilities.rawValue : ambient.rawValue)
    if confinement.noNewPrivileges {
      try add(STACK_OP_PRCTL, for: "set", "no_new_privs", flags: ProcessControl.noNewPrivileges, number: 1)
      try install(confinement.filter)
    }
  }

  /// Takes no_new_privs or CAP_SYS_ADMIN: hence last with the one, and first without.
  private mutating func install(_ filter: SeccompFilter?) throws(KernelError) {
    guard let filter else { return }
    let instructions = values(filter.instructions)
    try add(
      STACK_OP_SECCOMP, for: "install", "the seccomp filter", number: UInt64(filter.instructions.count / 8),
      data: instructions)
  }
}
