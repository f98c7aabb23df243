import Intent
import Isolation
import StackFiles
import Vocabulary

/// Conversions of single values, from the stack file to the intent.
extension DesiredRoot {
  init(_ service: StackFile.Service) {
    switch service.rootfs.value {
    case .host: self = .host
    case .image(let source):
      let image = service.image ?? StackFile.ChosenImage(name: "\(source)", digest: "", layers: [])
      self = .image(DesiredImage(name: image.name, digest: image.digest, layers: image.layers))
    case .folder(let path, .overlay): self = .overlay(folder: path)
    case .folder(let path, .direct): self = .direct(folder: path)
    }
  }
}

extension DesiredProcess {
  init(_ service: StackFile.Service) {
    let given = Dictionary(service.environment.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 })
    self.init(
      arguments: service.arguments, environment: given, workingDirectory: service.workingDirectory?.value,
      user: service.user?.value.description, usesInit: service.hasInit, hasTerminal: service.hasTerminal,
      keepsStdinOpen: service.keepsStandardInputOpen, isRootReadOnly: service.isReadOnly,
      security: DesiredSecurity(service))
  }
}

extension DesiredSecurity {
  /// As Docker reckons: ALL first, then what is named one by one; what is dropped by name is gone, whatever was added.
  package init(_ service: StackFile.Service) {
    self.init()
    isPrivileged = service.isPrivileged
    isFiltered = service.isFiltered && !service.isPrivileged
    seccompProfile = isFiltered ? service.seccompProfile : nil
    // Images have sudo, su and programs with file capabilities, and run with them under Docker.
    forbidsNewPrivileges = service.forbidsNewPrivileges ?? !(service.isPrivileged || service.imageName != nil)
    let (addsAll, dropsAll) = (service.addedCapabilities.contains(nil), service.droppedCapabilities.contains(nil))
    let dropped = CapabilitySet(service.droppedCapabilities.compactMap { $0 })
    added = (addsAll ? .all : CapabilitySet(service.addedCapabilities.compactMap { $0 })).subtracting(dropped)
    capabilities = (dropsAll ? [] : CapabilitySet.standard).subtracting(dropped).union(added)
    // A router works with routes, addresses and queues of its own namespace.
    if service.forwarding?.value == true, !dropsAll, !dropped.contains(.netAdmin) {
      added.formUnion(CapabilitySet([.netAdmin]))
      capabilities.formUnion(added)
    }
    if isPrivileged { (capabilities, added) = (.all, .all) }
  }
}

extension DesiredMount {
  init(_ mount: StackFile.Mount) {
    let source: Source =
      switch mount.source {
      case .bind(let path, let creates): .folder(path, createIfMissing: creates)
      case .volume(let name): .volume(name)
      case .anonymous: .anonymous
      case .tmpfs(let tmpfs): .tmpfs(size: tmpfs.size, mode: tmpfs.mode.map(UInt32.init))
      // One replica lends its volumes. The resolver knows its name.
      case .anonymousOf(let service): .anonymousOf(service)
      case .contents(let file):
        .contents(file.text, mode: UInt32(file.mode), user: file.user, group: file.group)
      }
    self.init(
      source: source, target: mount.target.value, isReadOnly: mount.isReadOnly,
      declaredAt: SourceLine(mount.span.place))
    staysEmpty = !mount.takesOver
    (subpath, followsHost) = (mount.subpath, mount.followsHost)
    guard case .tmpfs(let wanted) = mount.source else { return }
    var options = wanted.options
    if wanted.keepsAccessTimes { options.append("noatime") }
    tmpfs = DesiredTmpfs(
      user: wanted.user, group: wanted.group, isExecutable: wanted.isExecutable, options: options)
  }
}

extension DesiredNameResolution {
  init(_ resolution: StackFile.NameResolution) {
    self.init()
    servers = resolution.servers.map(\.value)
    search = resolution.search?.map(\.value)
    options = resolution.options?.map(\.value)
  }
}

extension TransportProtocol {
  /// nil for SCTP.
  init?(_ transport: StackFile.TransportProtocol) {
    switch transport {
    case .tcp: self = .tcp
    case .udp: self = .udp
    case .sctp: return nil
    }
  }
}

extension Dependency {
  init(_ dependency: StackFile.Dependency) {
    let condition: Condition =
      switch dependency.condition {
      case .started: .started
      case .healthy: .healthy
      case .completed: .completed
      }
    self.init(
      service: dependency.service.value, condition: condition, isRequired: dependency.isRequired,
      restartsWithIt: dependency.restartsWithIt)
  }
}

extension RestartPolicy {
  init(_ policy: StackFile.RestartPolicy) {
    switch policy {
    case .no: self = .no
    case .always: self = .always
    case .onFailure(let limit): self = .onFailure(limit: limit ?? 0)
    case .unlessStopped: self = .unlessStopped
    }
  }
}

extension HealthCheck {
  init(_ check: StackFile.HealthCheck) {
    let command: [String] =
      switch check.test.value {
      case .command(let words): words
      case .shell(let line): ["/bin/sh", "-c", line]
      }
    self.init(
      command: command, interval: check.interval, timeout: check.timeout, retries: check.retries,
      startPeriod: check.startPeriod, startInterval: check.startInterval)
  }
}

extension DesiredHook {
  init(_ hook: StackFile.Hook) {
    self.init(
      command: hook.command.value, user: hook.user?.value.description, workingDirectory: hook.workingDirectory?.value,
      environment: Dictionary(hook.environment.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 }),
      isPrivileged: hook.isPrivileged)
  }
}
