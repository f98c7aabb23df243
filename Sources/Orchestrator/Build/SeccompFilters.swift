import Kernel
import Runtime
import Synchronization

/// The seccomp filters of a stack's services: each is compiled once, kept in memory, and in a file for `exec`, which
/// would take as long for it as for all else.
final class SeccompFilters: Sendable {
  private let folder: StackFolder
  private let known = Mutex<[CapabilitySet: SeccompFilter]>([:])

  init(_ folder: StackFolder) {
    self.folder = folder
  }

  /// The confinement of a service with its filter.
  func confinement(_ security: DesiredSecurity) throws(KernelError) -> Confinement {
    var confinement = security.confinement
    if security.isFiltered { confinement.filter = try filter(for: security.capabilities) }
    return confinement
  }

  private func filter(for capabilities: CapabilitySet) throws(KernelError) -> SeccompFilter {
    try known.withLock { known throws(KernelError) in
      if let filter = known[capabilities] { return filter }
      let path = folder.seccompFilter(capabilities.rawValue)
      let filter: SeccompFilter
      if let bytes = try Files.read(path, limit: 1 << 16), let read = SeccompFilter(instructions: bytes) {
        filter = read
      } else {
        filter = try SeccompFilter(for: capabilities)
        // Only a file to save time, which a full disk may well do without.
        try? Files.replace(path, with: filter.instructions)
      }
      known[capabilities] = filter
      return filter
    }
  }
}
