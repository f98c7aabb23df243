import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The first id of each instance with a user namespace of its own, by its name. An instance keeps its range, before
  /// others get theirs. A service that shares another's namespaces shares its users too: these own the network and the
  /// shared memory.
  mutating func chooseIdentities(_ instances: [(name: String, service: StackFile.Service)]) -> [String: UInt32] {
    var allocator = IdentityAllocator(taken: facts.identities.taken)
    var own: [String] = []
    var sharing: [(name: String, owner: String, service: StackFile.Service)] = []
    for (name, service) in instances where isOwn(facts.identities.choice(for: service, in: folder), service) {
      switch namespaceOwner(of: service) {
      case .own:
        if let owner = service.settings.sharedWith { sharing.append((name, owner, service)) } else { own.append(name) }
      case .service(let owner): sharing.append((name, owner, service))
      case .host: _ = isOwn(.host(.follows("the host's network")), service)
      }
    }
    for id in standing.compactMap(\.firstIdentity) { _ = allocator.keep(id) }
    var chosen: [String: UInt32] = [:]
    for name in own {
      guard let before = previousServices[name]?.firstIdentity, allocator.keep(before) else { continue }
      chosen[name] = before
    }
    for name in own where chosen[name] == nil {
      guard let first = allocator.range(for: "\(stackName)/\(name)") else {
        errors.append(
          StackError(
            "\(stackName)/\(name)",
            "no \(IdentityAllocator.size) ids are left between \(IdentityAllocator.pool.lowerBound) and "
              + "\(IdentityAllocator.pool.upperBound)",
            remedy: "shorten the ranges in /etc/subuid, or give the service userns_mode: host"))
        continue
      }
      chosen[name] = first
    }
    for (name, owner, service) in sharing {
      chosen[name] = chosen[owner]
      if chosen[owner] == nil { _ = isOwn(.host(.follows("the namespaces of \(owner), which has none")), service) }
    }
    return chosen
  }

  /// Reports a user namespace that the file asks for and that is not possible.
  private mutating func isOwn(_ choice: UserNamespaceChoice, _ service: StackFile.Service) -> Bool {
    guard case .host(let reason) = choice else { return true }
    guard let mode = service.userNamespace, mode.value == .private else { return false }
    let obstacle: String? =
      switch reason {
      case .asked: nil
      case .follows(let other): "not with \(other)"
      case .impossible(let obstacle): obstacle
      }
    if let obstacle {
      errors.append(
        StackError(
          "\(stackName)/\(service.name.value)", "it cannot have a user namespace: \(obstacle)",
          remedy: "leave out userns_mode in \(mode.span.place), or write userns_mode: host"))
    }
    return false
  }
}

extension DesiredSettings {
  /// The service whose processes or memory it shares, if it shares any.
  fileprivate var sharedWith: String? {
    for namespace in [pid, ipc] {
      if case .service(let owner) = namespace { return owner }
    }
    return nil
  }
}
