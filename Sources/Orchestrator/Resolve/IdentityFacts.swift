import Intent
import StackFiles
import Vocabulary

/// The facts of the host that decide whether services can have user namespaces, and which ids these map to.
package struct IdentityFacts: Hashable, Sendable {
  /// The reason why no service can have a user namespace on this host. Nil if services can.
  package var refusal: String?
  /// Paths whose files cannot be shown under other ids (mount_setattr(2), MOUNT_ATTR_IDMAP), with why.
  package var unmappable: [String: String] = [:]
  /// Paths that belong to a user or group of the host that no service with users of its own can be, with that id: of a directory
  /// service (LDAP, Active Directory) for instance.
  package var strangers: [String: UInt32] = [:]
  /// True if mounts of a tmpfs can be idmapped.
  package var mapsTmpfs = true
  /// Ids that others use: other stacks, /etc/subuid, the host's users.
  package var taken: [ClosedRange<UInt32>] = []

  package init() {}
}

/// The user namespace of a service's processes.
enum UserNamespaceChoice: Hashable, Sendable {
  /// Its own: root inside is nobody outside.
  case own
  /// The host's.
  case host(Reason)

  enum Reason: Hashable, Sendable {
    /// The file says so.
    case asked
    /// Something else that the file says goes only with the host's users.
    case follows(String)
    /// It cannot be had.
    case impossible(String)
  }
}

extension IdentityFacts {
  /// The mode of a service whose file sets none.
  static let standard = StackFile.UserNamespaceMode.private

  /// - Parameter folder: where the stack keeps its volumes and layers.
  func choice(for service: StackFile.Service, in folder: StackFolder) -> UserNamespaceChoice {
    if (service.userNamespace?.value ?? Self.standard) == .host { return .host(.asked) }
    if service.isPrivileged { return .host(.follows("privileged: true")) }
    if service.settings.ipc == .host { return .host(.follows("ipc: host")) }
    if service.settings.pid == .host { return .host(.follows("pid: host")) }
    if let refusal { return .host(.impossible(refusal)) }
    if service.rootfs.value == .host, !mapsTmpfs, let reason = unmappable[folder.hostRootOnDisk] {
      return .host(.impossible("\(folder.lib) \(reason), and a tmpfs has none before Linux 6.3"))
    }
    for (what, path) in Self.places(of: service, in: folder) {
      if let reason = unmappable[path] { return .host(.impossible("\(what) \(path) \(reason)")) }
    }
    for id in service.user.map({ [$0.value.user, $0.value.group] }) ?? [] {
      guard let id, let number = UInt64(id), number >= UInt64(IdentityAllocator.size) else { continue }
      return .host(.impossible("user \(id) is beyond the \(IdentityAllocator.size) of a user namespace"))
    }
    return .own
  }

  /// Notes about services that have the host's user namespace because they cannot have their own, with the reasons.
  package func notes(for services: [StackFile.Service], in folder: StackFolder) -> [String] {
    var names: [String: [String]] = [:]
    for service in services {
      guard case .host(.impossible(let obstacle)) = choice(for: service, in: folder) else { continue }
      names[obstacle, default: []].append(service.name.value)
    }
    return names.map { obstacle, names in
      "no user namespace for \(names.joined(separator: ", ")): \(obstacle)"
    }.sorted() + imageNotes(for: services, in: folder) + strangerNotes(for: services, in: folder)
  }

  /// An image may have files of any id, and its service has no more ids than these.
  private func imageNotes(for services: [StackFile.Service], in folder: StackFolder) -> [String] {
    services.compactMap { service in
      guard let image = service.image, image.largestID >= IdentityAllocator.size,
        choice(for: service, in: folder) == .own
      else { return nil }
      return
        "image \(image.name) has files of id \(image.largestID), which is beyond the \(IdentityAllocator.size) that "
        + "\(service.name.value) has: there they belong to nobody; to have them as they are, write `userns_mode: host`"
    }
  }

  /// An idmapped mount shows such a file as nobody's, whom also the service's root has no power over (user_namespaces(7)).
  private func strangerNotes(for services: [StackFile.Service], in folder: StackFolder) -> [String] {
    guard !strangers.isEmpty else { return [] }
    return services.filter { choice(for: $0, in: folder) == .own }.flatMap { service in
      Self.places(of: service, in: folder).compactMap { what, path in
        strangers[path].map { id in
          "\(what) \(path) belongs to id \(id), which is beyond the \(IdentityAllocator.size) that \(service.name.value) has: its "
            + "users can do there what anybody can; to let its root use it, write `userns_mode: host`"
        }
      }
    }
  }

  /// The paths of the host that a service sees, with their names in messages.
  package static func places(of service: StackFile.Service, in folder: StackFolder) -> [(what: String, path: String)] {
    var places: [(what: String, path: String)] = []
    switch service.rootfs.value {
    case .host: break
    case .image: places.append(("folder of images", folder.imageLayers))
    case .folder(let path, _): places.append(("root folder", path))
    }
    for mount in service.mounts {
      switch mount.source {
      case .bind(let path, _): places.append(("folder", path))
      case .volume(let name): places.append(("volume", folder.volume(name)))
      case .anonymous, .anonymousOf, .contents, .tmpfs: break
      }
    }
    return places
  }
}
