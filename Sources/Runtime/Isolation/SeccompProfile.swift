/// A seccomp profile in Docker's format.
///
/// Source: seccomp/ in github.com/moby/profiles. The names of actions and comparisons are those of linux.seccomp in the
/// OCI runtime specification.
public struct SeccompProfile: Codable, Hashable, Sendable {
  public enum Action: String, Codable, Hashable, Sendable {
    case allow = "SCMP_ACT_ALLOW"
    case errno = "SCMP_ACT_ERRNO"
    case kill = "SCMP_ACT_KILL"
    case killThread = "SCMP_ACT_KILL_THREAD"
    case killProcess = "SCMP_ACT_KILL_PROCESS"
    case trap = "SCMP_ACT_TRAP"
    case log = "SCMP_ACT_LOG"
  }

  public enum Comparison: String, Codable, Hashable, Sendable {
    case notEqual = "SCMP_CMP_NE"
    case less = "SCMP_CMP_LT"
    case atMost = "SCMP_CMP_LE"
    case equal = "SCMP_CMP_EQ"
    case atLeast = "SCMP_CMP_GE"
    case more = "SCMP_CMP_GT"
    case maskedEqual = "SCMP_CMP_MASKED_EQ"
  }

  public struct Argument: Codable, Hashable, Sendable {
    public var index: UInt32
    public var value: UInt64
    public var valueTwo: UInt64?
    public var op: Comparison
  }

  /// A condition on the process and the machine, for `Rule.includes` and `Rule.excludes`.
  public struct Condition: Codable, Hashable, Sendable {
    /// Capabilities. `includes` needs all of them, `excludes` matches any.
    public var caps: [String]?
    public var arches: [String]?
    /// The oldest kernel version that matches, such as `4.8`.
    public var minKernel: String?
  }

  public struct Rule: Codable, Hashable, Sendable {
    public var names: [String]?
    public var name: String?
    public var action: Action
    public var errnoRet: UInt16?
    public var args: [Argument]?
    public var includes: Condition?
    public var excludes: Condition?
  }

  public struct Architecture: Codable, Hashable, Sendable {
    public var architecture: String
    public var subArchitectures: [String]?
  }

  public var defaultAction: Action
  public var defaultErrnoRet: UInt16?
  public var architectures: [String]?
  public var archMap: [Architecture]?
  public var syscalls: [Rule]?
}

extension SeccompProfile.Rule {
  /// The names of the system calls that the rule matches.
  package var calls: [String] { (names ?? []) + [name].compactMap(\.self) }

  /// True if the rule applies to a process with these capabilities, on this architecture and kernel version.
  package func applies(to capabilities: CapabilitySet, architecture: String, kernel: String) -> Bool {
    if let includes {
      if let caps = includes.caps, !caps.allSatisfy({ Self.has($0, capabilities) }) { return false }
      if let arches = includes.arches, !arches.isEmpty, !arches.contains(architecture) { return false }
      if let least = includes.minKernel, !Self.isAtLeast(kernel, least) { return false }
    }
    if let excludes {
      if let caps = excludes.caps, caps.contains(where: { Self.has($0, capabilities) }) { return false }
      if let arches = excludes.arches, arches.contains(architecture) { return false }
      if let least = excludes.minKernel, Self.isAtLeast(kernel, least) { return false }
    }
    return true
  }

  private static func has(_ name: String, _ capabilities: CapabilitySet) -> Bool {
    Capability(name: name).map(capabilities.contains) ?? false
  }

  /// Compares the first two numbers of kernel versions.
  static func isAtLeast(_ version: String, _ least: String) -> Bool {
    func numbers(_ text: String) -> [Int] {
      text.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
    }
    return !numbers(version).lexicographicallyPrecedes(numbers(least))
  }
}
