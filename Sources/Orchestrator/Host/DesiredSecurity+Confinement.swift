import Intent
import Runtime

extension DesiredSecurity {
  /// The confinement of the service's command and of `exec`, without its filter, which needs a compiler.
  package var confinement: Confinement {
    var confinement = Confinement()
    confinement.capabilities = capabilities
    confinement.ambient = added
    confinement.noNewPrivileges = forbidsNewPrivileges
    confinement.masksKernelPaths = !isPrivileged
    return confinement
  }
}
