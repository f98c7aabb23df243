import Isolation

extension StackFile.Service {
  /// The keys that say what the process may do, as people write them.
  var securityOutput: [OutputValue.Entry] {
    let output = OutputValue.mapping([
      "cap_add": Self.output(addedCapabilities),
      "cap_drop": Self.output(droppedCapabilities),
      "privileged": isPrivileged ? .bool(true) : nil,
      "security_opt": securityOptions.isEmpty ? nil : .list(securityOptions),
    ])
    guard case .mapping(let entries) = output else { return [] }
    return entries
  }

  private static func output(_ capabilities: [Capability?]) -> OutputValue? {
    capabilities.isEmpty ? nil : .texts(capabilities.map { $0?.name ?? "ALL" })
  }

  private var securityOptions: [OutputValue] {
    var options: [OutputValue] = []
    if let forbidsNewPrivileges { options.append(.text("no-new-privileges:\(forbidsNewPrivileges)")) }
    if let seccompPath {
      options.append(.escaped("seccomp:\(seccompPath)"))
    } else if !isFiltered {
      options.append(.text("seccomp:unconfined"))
    }
    return options
  }
}
