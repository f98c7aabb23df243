import Isolation
import Kernel
import Runtime
import Vocabulary

/// The reason why root cannot bring a stack up in this container, if there is one.
///
/// It is found before anything is made, since the kernel's own refusals name neither the container nor the remedy.
package enum MissingRights: Hashable, Sendable {
  /// Capabilities that the container does not have.
  case capabilities([Capability])
  /// Root of a user namespace makes no device nodes, and mounts no /proc for services.
  case userNamespace

  /// Those that making services takes, and their networks.
  static let needed: [Capability] = [
    .chown, .dacOverride, .fowner, .kill, .setgid, .setuid, .setpcap, .netAdmin, .sysChroot, .sysAdmin, .mknod,
  ]

  /// - Returns: nil where root has what stacks need.
  package init?(_ rights: CallersRights) {
    // In a user namespace a process may have all capabilities, over that namespace alone.
    if rights.isInUserNamespace {
      self = .userNamespace
      return
    }
    let missing = Self.needed.filter { !rights.capabilities.contains($0) }
    guard !missing.isEmpty else { return nil }
    self = .capabilities(missing)
  }

  package static func observe() throws(KernelError) -> MissingRights? { MissingRights(try .observe()) }

  package var text: String {
    switch self {
    case .capabilities(let missing):
      "root has not all of its rights here, as in a container without privileges: "
        + missing.map { "CAP_\($0.name)" }.joined(separator: ", ")
        + (missing.count == 1 ? " is missing" : " are missing")
    case .userNamespace:
      "root is here root of a user namespace alone, as in a container with users of its own:"
        + " it can make no device nodes for services"
    }
  }

  package var remedy: String {
    switch self {
    case .capabilities:
      "run the container with --privileged (docker, podman), or with --private-network --capability=all (systemd-nspawn);"
        + " a CI job needs a privileged runner or a virtual machine"
    case .userNamespace:
      "run the container with the host's users: as root with --privileged --userns=host (docker, podman), "
        + "without -U (systemd-nspawn), without lxc.idmap (LXC)"
    }
  }

  package var error: StackErrors { StackErrors([StackError(nil, "stacks cannot come up: \(text)", remedy: remedy)]) }
}
