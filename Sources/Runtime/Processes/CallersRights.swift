import CLinux
import Glibc
import Isolation
import Kernel

/// The rights that root has in this process's container. On a host without containers these are all of root's.
public struct CallersRights: Hashable, Sendable {
  /// The effective capabilities (capabilities(7)).
  public var capabilities: CapabilitySet
  /// True if root is root of a user namespace within the host's (user_namespaces(7)).
  public var isInUserNamespace: Bool

  public init(capabilities: CapabilitySet, isInUserNamespace: Bool) {
    self.capabilities = capabilities
    self.isInUserNamespace = isInUserNamespace
  }

  public static func observe() throws(KernelError) -> CallersRights {
    var capabilities: UInt64 = 0
    try check("read", "the capabilities of this process") { stack_effective_capabilities(&capabilities) }
    let map = (try? Files.read("/proc/self/uid_map", limit: 4096)) ?? nil
    return CallersRights(
      capabilities: CapabilitySet(rawValue: capabilities),
      isInUserNamespace: map.map { !isOfFirstNamespace(String(decoding: $0, as: UTF8.self)) } ?? false)
  }

  /// The first user namespace maps every id to itself.
  static func isOfFirstNamespace(_ map: String) -> Bool {
    map.split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
  }
}
