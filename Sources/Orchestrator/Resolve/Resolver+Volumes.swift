import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The volumes of the file, and the folders that they are.
  mutating func desiredVolumes() -> [DesiredVolume] {
    file.volumes.compactMap { volume in
      let name = volume.name.value
      var desired = DesiredVolume(name: name, folder: folder.volume(name))
      (desired.sharedName, desired.isExternal) = (volume.sharedName, volume.external != nil)
      if let shared = volume.sharedName {
        if let known = facts.volumes[shared] {
          desired.folder = known
        } else if volume.external != nil {
          errors.append(
            StackError(
              "\(stackName)/\(name)", "there is no volume \(shared)",
              remedy: "make it (stack volume create \(shared)), or correct its name in \(volume.name.span.place)"))
          return nil
        } else {
          desired.folder = folder.folders.sharedVolume(shared)
        }
      }
      if let source = volume.mounted {
        if source.type == "none", source.device.hasPrefix("/") {
          desired.folder = source.device
          desired.isExternal = true
        } else {
          desired.mounted = DesiredVolume.MountedFileSystem(
            type: source.type, device: source.device, options: source.options)
        }
      }
      return desired
    }
  }

  /// Puts mounts that lie deeper after those that would cover them, and says where volumes are.
  func arrangeVolumes(of services: inout [DesiredService]) {
    let folders = Dictionary(uniqueKeysWithValues: file.volumes.map { ($0.name.value, volumeFolder(of: $0)) })
    let instances = Dictionary(services.map { ($0.service, $0.name) }) { first, _ in first }
    var lent: Set<String> = []
    for index in services.indices {
      services[index].mounts = services[index].mounts.map { mount in
        var mount = mount
        switch mount.source {
        case .volume(let name): mount.volumeFolder = folders[name] ?? nil
        case .anonymousOf(let service):
          let lender = instances[service] ?? service
          mount.source = .anonymousOf(lender)
          lent.insert(lender)
        default: break
        }
        return mount
      }
      services[index].mounts = Self.byDepth(services[index].mounts)
    }
    for index in services.indices where lent.contains(services[index].name) {
      for mount in services[index].mounts.indices where services[index].mounts[mount].source == .anonymous {
        services[index].mounts[mount].isLent = true
      }
    }
  }

  /// nil for a volume in the stack's own folder.
  private func volumeFolder(of volume: StackFile.Volume) -> String? {
    if let source = volume.mounted, source.type == "none", source.device.hasPrefix("/") { return source.device }
    return volume.sharedName.map { facts.volumes[$0] ?? folder.folders.sharedVolume($0) }
  }

  /// In the order of the file among those of the same depth.
  static func byDepth(_ mounts: [DesiredMount]) -> [DesiredMount] {
    mounts.enumerated().sorted { left, right in
      let depths = [left, right].map { $0.element.target.utf8.count { $0 == 0x2F } }
      return depths[0] == depths[1] ? left.offset < right.offset : depths[0] < depths[1]
    }.map(\.element)
  }

  /// Gives services the further names that `links` and `external_links` have for others.
  mutating func nameLinked(in services: inout [DesiredService], _ active: [StackFile.Service]) {
    let links = Dictionary(active.map { ($0.name.value, $0.namedLinks) }) { first, _ in first }
    for index in services.indices {
      let own = services[index]
      let given = Set(own.extraHosts.map(\.name))
      for link in links[own.service] ?? [] {
        let found = services.filter { isTarget($0, of: link) }.flatMap { hosts(for: $0, of: own, link) }
        let others = found.isEmpty && link.isExternal ? strangers(of: own, link) : []
        services[index].extraHosts += (found + others).filter { !given.contains($0.name) }.uniqued()
      }
    }
  }

  private func isTarget(_ service: DesiredService, of link: StackFile.NamedLink) -> Bool {
    let target = link.target.value
    guard link.isExternal else { return service.service == target }
    return service.containerName == target || service.name == target || projectName(of: service) == target
  }

  private func projectName(of service: DesiredService) -> String { "\(stackName)-\(service.service)-\(service.index)" }

  /// The names of another service for one that is linked to it, with its addresses on networks that both are on.
  private func hosts(for other: DesiredService, of own: DesiredService, _ link: StackFile.NamedLink) -> [DesiredHost] {
    let alias = link.alias?.value ?? (link.isExternal ? link.target.value : other.service)
    let names = [
      alias, "\(other.service)-\(other.index)", "\(other.service)_\(other.index)", projectName(of: other),
    ].uniqued()
    let networks = own.attachments.map(\.network)
    guard let attachment = other.attachments.first(where: { networks.contains($0.network) }) else { return [] }
    return names.flatMap { name in attachment.addresses.map { DesiredHost(name: name, address: $0) } }
  }

  /// Services of other stacks on the same networks.
  private func strangers(of own: DesiredService, _ link: StackFile.NamedLink) -> [DesiredHost] {
    let target = link.target.value
    let members = facts.members.values.flatMap(\.self).filter { member in
      member.names.contains(target) || ["-", "_"].contains { "\(member.stack)\($0)\(member.service)\($0)1" == target }
    }
    return members.prefix(1).flatMap { member in
      [target, link.alias?.value].compactMap(\.self).map { DesiredHost(name: $0, address: .v4(member.address)) }
    }
  }
}
