import Host
import CLinux
import FoundationEssentials
import Glibc
import Intent
import Isolation
import Kernel
import Runtime
import Synchronization
import Vocabulary

/// The seccomp filters of services: each is compiled once, and kept in memory and in a file of the host's cache, since to
/// compile one takes as long as to bring up several services.
package final class SeccompFilters: Sendable {
  private let folder: String
  private let known = Mutex<[Key: SeccompFilter]>([:])

  private struct Key: Hashable {
    var capabilities: CapabilitySet
    /// JSON; nil for the default.
    var profile: String?

    /// The part of a file's name that tells filters apart. A profile is named by its checksum.
    var name: String {
      let checksum = profile.map { ".\(String(StableHash($0).value, radix: 16))-\($0.utf8.count)" } ?? ""
      return String(capabilities.rawValue, radix: 16) + checksum
    }
  }

  /// - Parameter folder: where filters are kept, by this program and by no other build of it.
  package init(_ folder: String) {
    self.folder = folder
  }

  /// The confinement of a service with its filter.
  package func confinement(_ security: DesiredSecurity) throws(KernelError) -> Confinement {
    var confinement = security.confinement
    if security.isFiltered {
      confinement.filter = try filter(Key(capabilities: security.capabilities, profile: security.seccompProfile))
    }
    return confinement
  }

  private func filter(_ key: Key) throws(KernelError) -> SeccompFilter {
    try known.withLock { known throws(KernelError) in
      if let filter = known[key] { return filter }
      let path = "\(folder)/seccomp.\(key.name).\(ProgramBuild.current)"
      let filter: SeccompFilter
      if let bytes = try Files.read(path, limit: 1 << 16), let read = SeccompFilter(instructions: bytes) {
        filter = read
      } else {
        filter = try Self.compile(key)
        keep(filter, at: path)
      }
      known[key] = filter
      return filter
    }
  }

  private static func compile(_ key: Key) throws(KernelError) -> SeccompFilter {
    guard let text = key.profile else { return try SeccompFilter(for: key.capabilities) }
    guard let profile = try? JSONDecoder().decode(SeccompProfile.self, from: Data(text.utf8)) else {
      throw KernelError("read", "a seccomp profile", errno: .invalidArgument)
    }
    return try SeccompFilter(profile, for: key.capabilities)
  }

  /// Only a file to save time, which a full disk may well do without. Those of former builds go.
  private func keep(_ filter: SeccompFilter, at path: String) {
    try? Files.makeFolder(folder)
    for name in Files.list(folder) where name.hasPrefix("seccomp.") && !name.hasSuffix(".\(ProgramBuild.current)") {
      try? Files.remove("\(folder)/\(name)")
    }
    try? Files.replace(path, with: filter.instructions)
  }
}
