import Isolation

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
  mutating func drop(to credentials: Credentials, _ confinement: Confinement) {
    let isRoot = credentials.uid == 0
    let ambient = isRoot ? [] : confinement.ambient.intersection(confinement.capabilities)
    // A filter takes no_new_privs or CAP_SYS_ADMIN: hence last with the one, and first without.
    if !confinement.noNewPrivileges, let filter = confinement.filter { install(filter) }
    limitCapabilities(to: confinement.capabilities)
    if !ambient.isEmpty { switchOn(ProcessControl.keepCapabilities, for: "keep", "the capabilities") }
    drop(to: credentials)
    setCapabilities(isRoot ? confinement.capabilities : ambient, ambient: ambient)
    if confinement.noNewPrivileges {
      switchOn(ProcessControl.noNewPrivileges, for: "set", "no_new_privs")
      if let filter = confinement.filter { install(filter) }
    }
  }
}
