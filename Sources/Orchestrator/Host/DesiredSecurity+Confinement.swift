import Intent
import Runtime

extension DesiredSecurity {
  /// For the service's own command, and for what is executed beside it; without its filter, which takes a compiler.
  package var confinement: Confinement {
    var confinement = Confinement()
    confinement.capabilities = capabilities
    confinement.ambient = added
    confinement.noNewPrivileges = forbidsNewPrivileges
    confinement.masksKernelPaths = !isPrivileged
    return confinement
  }
}
