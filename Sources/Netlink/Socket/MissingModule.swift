import Kernel
import SystemPackage

/// The kernel's refusals that mean a module which is not loaded, and which the kernel could not load by itself.
enum MissingModule {
  /// Adds the remedy to such an error, and leaves others as they are.
  static func explained(_ error: KernelError, family: NetlinkSocket.Family? = nil) -> KernelError {
    guard error.remedy == nil, let modules = modules(for: error, family) else { return error }
    var error = error
    error.remedy =
      "load what is missing: modprobe \(modules); if there is no such module, the kernel was built without it, or was "
      + "updated since the host started"
    return error
  }

  private static func modules(for error: KernelError, _ family: NetlinkSocket.Family?) -> String? {
    switch error.errno {
    // socket(2), of a protocol that nobody has registered.
    case .protocolNotSupported where family == .netfilter: "-a nfnetlink nf_tables"
    // RTM_NEWLINK: rtnl_newlink in net/core/rtnetlink.c.
    case .notSupportedOnSocket where error.detail == "Unknown device type":
      ["bridge", "veth", "macvlan", "vxlan"].first { error.action == "create \($0)" }
    // sock_diag(7), of a protocol without a module for it.
    case .noSuchFileOrDirectory where family == .sockDiag: "-a tcp_diag udp_diag"
    default: nil
    }
  }
}
