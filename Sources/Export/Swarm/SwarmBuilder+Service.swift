import Addresses
import Intent
import Isolation
import Rules
import StackFiles
import Vocabulary

extension SwarmBuilder {
  /// One service, or one for each replica if some command names a single one: Swarm has no names for these.
  mutating func entries(_ service: StackFile.Service) -> [OutputValue.Entry] {
    let name = service.name.value
    let replicas = service.scale.value > 1 ? (1...service.scale.value).map { "\(name)-\($0)" } : []
    guard replicas.contains(where: isNamed) else {
      return [.init(key: name, value: value(service, replicas: service.scale.value, alias: nil))]
    }
    let amount = "a service for each replica, since \(replicas[0]) or another is named"
    let replicasKey = key(service, input.hasKey(key(service, "scale")) ? "scale" : "deploy.replicas")
    ledger.note(replicasKey, .changed, amount)
    return replicas.map { .init(key: $0, value: value(service, replicas: 1, alias: name)) }
  }

  /// True if a replica's name is a word of a command, of a variable, or of another text of some service.
  private func isNamed(_ replica: String) -> Bool {
    func holds(_ text: String) -> Bool {
      text.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }.contains { $0 == replica }
    }
    return input.services.contains { service in
      service.arguments.contains(where: holds) || service.environment.contains { holds($0.value) }
    }
  }

  private mutating func value(_ service: StackFile.Service, replicas: Int, alias: String?) -> OutputValue {
    noteRoot(service)
    let environment = Dictionary(service.environment.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 })
    let labels = Dictionary(keepingFirst: service.labels.map { ($0.name.value, Self.literal($0.value)) })
    func texts(_ values: [String]) -> OutputValue? { values.isEmpty ? nil : Self.literals(values) }
    let isImage = service.imageName != nil
    // An empty entrypoint would leave the image's own in its place.
    let program = service.dropsEntrypoint ? service.command?.value ?? [] : service.entrypoint?.value ?? []
    if isImage, service.dropsEntrypoint, program.isEmpty {
      ledger.note(
        key(service, "entrypoint"), .lost, "the image's entrypoint runs: its own command cannot be had without it",
        do: "write the `command:`")
    }
    return OutputValue.mapping([
      "image": .text(Self.literal(service.exportedImage(input.file.name.value, options))),
      "entrypoint": isImage ? texts(program) : nil,
      "command": texts(isImage ? (service.dropsEntrypoint ? [] : service.command?.value ?? []) : service.arguments),
      "environment": environment.isEmpty ? nil : .texts(environment.mapValues(Self.literal)),
      "working_dir": service.workingDirectory.map { .text(Self.literal($0.value)) },
      "user": service.user.map { .text($0.value.description) },
      "hostname": service.hostname.map { .text($0.value) },
      "init": isImage ? (service.hasInit ? .bool(true) : nil) : .bool(service.hasInit),
      "tty": service.hasTerminal ? .bool(true) : nil,
      "stdin_open": service.keepsStandardInputOpen ? .bool(true) : nil,
      "read_only": service.isReadOnly ? .bool(true) : nil,
    ]).adding(rights(service)).adding(network(service, alias)).adding(storage(service)).adding(lifetime(service))
      .adding(
        [
          .init(key: "labels", value: .texts(labels)), .init(key: "deploy", value: deployment(service, replicas)),
        ].filter { $0.value != .mapping([]) })
  }

  private mutating func noteRoot(_ service: StackFile.Service) {
    let image = service.exportedImage(input.file.name.value, options)
    switch service.rootfs.value {
    case .image:
      ledger.settle(key(service, "image"), .kept, "the image \(image), which each node pulls")
    case .host, .folder:
      ledger.note(
        key(service, "rootfs"), .lost,
        "nodes have no such folder: the service wants the image \(image)", do: "make that image and push it",
        at: service.name.span)
    }
  }

  private func compact(_ entries: KeyValuePairs<String, OutputValue?>) -> [OutputValue.Entry] {
    entries.compactMap { key, value in value.map { .init(key: key, value: $0) } }
  }

  // MARK: - Rights

  private mutating func rights(_ service: StackFile.Service) -> [OutputValue.Entry] {
    /// Docker's default has two more than the one here.
    let security = input.security[service.name.value] ?? DesiredSecurity()
    let wanted = security.capabilities
    let usual = CapabilitySet.standard.union(CapabilitySet([.mknod, .auditWrite]))
    func names(_ set: CapabilitySet) -> [String] {
      Capability.allCases.filter { set.contains($0) }.map(\.name).sorted()
    }
    let (added, dropped) = (names(wanted.subtracting(usual)), names(usual.subtracting(wanted)))
    if security.forbidsNewPrivileges {
      ledger.note(
        key(service, "security_opt"), .lost, "no-new-privileges, ids of its own and filters cannot be set by service",
        do: "set no-new-privileges, userns-remap and seccomp-profile in each node's daemon.json", at: service.name.span)
    }
    let limits = service.settings.limits.map { limit -> OutputValue.Entry in
      func number(_ value: UInt64) -> OutputValue { .number(value == .max ? -1 : Int(clamping: value)) }
      return .init(
        key: limit.kind.rawValue, value: .mapping(["soft": number(limit.soft), "hard": number(limit.hard)]))
    }
    let parameters = service.settings.kernelParameters.map {
      ($0.key.split(separator: "/").joined(separator: "."), $0.value)
    }
    return compact([
      "cap_add": wanted == .all ? .texts(["ALL"]) : (added.isEmpty ? nil : .texts(added)),
      "cap_drop": wanted == .all || dropped.isEmpty ? nil : .texts(dropped),
      "ulimits": limits.isEmpty ? nil : .mapping(limits),
      "sysctls": parameters.isEmpty ? nil : .texts(Dictionary(keepingFirst: parameters)),
    ])
  }

  // MARK: - The network

  private mutating func network(_ service: StackFile.Service, _ alias: String?) -> [OutputValue.Entry] {
    var networks: [OutputValue.Entry] = []
    for attachment in service.attachments {
      let aliases = attachment.aliases.map(\.value) + [service.containerName?.value, alias].compactMap(\.self)
      networks.append(
        .init(
          key: attachment.network.value,
          value: .mapping(["aliases": aliases.isEmpty ? nil : .texts(aliases.uniqued())])))
    }
    let hosts = service.extraHosts.compactMap { host -> String? in
      guard case .fixed(let address) = host.address.value else {
        ledger.note(
          key(service, "extra_hosts"), .lost, "`\(host.name.value)`: there is no address of the node",
          do: "write the address")
        return nil
      }
      return "\(host.name.value):\(address)"
    }
    return compact([
      "networks": networks.isEmpty ? nil : .mapping(networks),
      "ports": OutputValue.list(ports(service), unlessEmpty: true),
      "expose": service.exposed.isEmpty ? nil : .texts(service.exposed.map(\.exported)),
      "extra_hosts": hosts.isEmpty ? nil : Self.literals(hosts),
      "dns": service.nameResolution.servers.isEmpty
        ? nil : .texts(service.nameResolution.servers.map { "\($0.value)" }),
      "dns_search": service.nameResolution.search.map { .texts($0.map(\.value)) },
    ])
  }

  /// In host mode: Swarm's mesh would put a node's address in the place of the client's, and names would lead to a
  /// balancer and not to the replicas.
  private mutating func ports(_ service: StackFile.Service) -> [OutputValue] {
    var values: [OutputValue] = []
    for port in service.ports {
      let key = key(service, "ports")
      if let address = port.address, address.isLoopback {
        ledger.note(
          key, .lost, "ports on \(address) are for the host alone, and are not published there", do: "use `docker exec`"
        )
        continue
      }
      ledger.note(key, .changed, "each node that runs a task answers on the port, and the others do not")
      if let address = port.address {
        ledger.note(key, .lost, "Swarm publishes on all addresses, not \(address)", do: "filter them on each node")
      }
      if port.sources != nil {
        ledger.note(
          key, .refused, "Swarm filters no sources, and the port would be open to everybody",
          do: "filter sources on each node, and leave out `from:`")
      }
      for pair in port.pairs {
        values.append(
          .mapping([
            "target": .number(Int(pair.container)), "published": pair.host.map { .number(Int($0)) },
            "protocol": .text(port.transport.rawValue), "mode": .text("host"),
          ]))
      }
    }
    return values
  }

  // MARK: - Files

  private mutating func storage(_ service: StackFile.Service) -> [OutputValue.Entry] {
    var (volumes, files, hidden): ([OutputValue], [OutputValue], [OutputValue]) = ([], [], [])
    for mount in service.mounts {
      let target = OutputValue.text(Self.literal(mount.target.value))
      let isReadOnly: OutputValue? = mount.isReadOnly ? .bool(true) : nil
      switch mount.source {
      case .tmpfs(let tmpfs):
        note(tmpfs, at: mount.target.value, of: service)
        volumes.append(
          .mapping([
            "type": .text("tmpfs"), "target": target, "read_only": isReadOnly,
            "tmpfs": tmpfs.size.map { .mapping(["size": .number(Int(clamping: $0))]) },
          ]))
      case .anonymous: volumes.append(.mapping(["type": .text("volume"), "target": target]))
      case .volume(let name):
        volumes.append(
          .mapping([
            "type": .text("volume"), "source": .text(name), "target": target, "read_only": isReadOnly,
            "volume": mount.takesOver ? nil : .mapping(["nocopy": .bool(true)]),
          ]))
      case .anonymousOf(let other):
        volumes.append(.mapping(["type": .text("volume"), "target": target]))
        ledger.note(
          key(service, "volumes_from"), .lost,
          "\(mount.target.value) is empty here: tasks do not share what \(other) has there",
          do: "give both a named volume")
      case .contents(let contents):
        let entries = inlineFile(contents, mount, of: service)
        if mount.isSecret { hidden += entries } else { files += entries }
      case .bind(let path, _):
        if mount.isReadOnly, let content = input.contents[path], content.fitsConfigs {
          let entries = configs(of: content, at: mount.target.value, areSecret: mount.isSecret)
          if mount.isSecret { hidden += entries } else { files += entries }
          let kind = mount.isSecret ? "secrets" : "configs"
          ledger.note(
            key(service, mount.fileKind.map { "\($0.rawValue)s" } ?? "volumes"), .kept,
            "\(mount.target.value) is made of \(kind) with what the file names now")
        } else {
          volumes.append(
            .mapping([
              "type": .text("bind"), "source": .text(Self.literal(path)), "target": target, "read_only": isReadOnly,
              "bind": mount.followsHost ? .mapping(["propagation": .text("rslave")]) : nil,
            ]))
          ledger.note(
            key(service, "volumes"), .changed, "\(path) must be on each node that runs a task",
            do: "copy it there, or use a volume driver that shares")
        }
      }
    }
    if let size = service.settings.sharedMemorySize {
      volumes.append(
        .mapping([
          "type": .text("tmpfs"), "target": .text("/dev/shm"),
          "tmpfs": .mapping(["size": .number(Int(clamping: size))]),
        ]))
    }
    return compact([
      "volumes": OutputValue.list(volumes, unlessEmpty: true), "configs": OutputValue.list(files, unlessEmpty: true),
      "secrets": OutputValue.list(hidden, unlessEmpty: true),
    ])
  }

  private mutating func note(_ tmpfs: StackFile.Tmpfs, at target: String, of service: StackFile.Service) {
    let hasMore = tmpfs.mode != nil || tmpfs.user != nil || tmpfs.group != nil || !tmpfs.options.isEmpty
    let key = key(service, "tmpfs")
    guard hasMore, input.hasKey(key) else { return }
    ledger.note(
      key, .lost, "\(target) has a size alone: no mode, no owner and no other options", do: "set them in the command")
  }

  /// The entry for contents that the stack file holds itself. Mode and owner are those of the file.
  private mutating func inlineFile(
    _ contents: StackFile.FileContents, _ mount: StackFile.Mount, of service: StackFile.Service
  ) -> [OutputValue] {
    let key = key(service, mount.isSecret ? "secrets" : "configs")
    let content = BoundContent(contents, at: mount.target.value)
    guard content.fitsConfigs, let file = content.files.first else {
      ledger.note(
        key, .lost, "\(mount.target.value): Swarm takes files of 1 to 500,000 bytes", do: "put it into the image")
      return []
    }
    guard options.hasFolder else {
      ledger.note(
        key, .lost, "\(mount.target.value) has to be a file beside the export, which standard output has no place for",
        do: "write the export with -o FILE")
      return []
    }
    let name = Self.name(of: file, in: input.file.name.value)
    if mount.isSecret { secrets[name] = "./\(name)" } else { configs[name] = "./\(name)" }
    files.append(ExportFile(name: name, bytes: file.bytes, isSecret: mount.isSecret))
    ledger.note(key, .kept, "\(mount.target.value) is the file \(name) beside the export")
    return [
      .mapping([
        "source": .text(name), "target": .text(Self.literal(mount.target.value)),
        "uid": contents.user == 0 ? nil : .text("\(contents.user)"),
        "gid": contents.group == 0 ? nil : .text("\(contents.group)"), "mode": .number(Int(contents.mode)),
      ])
    ]
  }

  private static func name(of file: BoundContent.File, in stack: String) -> String {
    "\(stack)-\(String(StableHash(String(decoding: file.bytes, as: UTF8.self)).value, radix: 16))"
  }

  /// Configs cannot be changed, so that other contents have another name.
  private mutating func configs(of content: BoundContent, at target: String, areSecret: Bool) -> [OutputValue] {
    content.files.map { file in
      let name = Self.name(of: file, in: input.file.name.value)
      if areSecret { secrets[name] = file.source } else { configs[name] = file.source }
      return .mapping([
        "source": .text(name), "target": .text(Self.literal(content.isFolder ? "\(target)/\(file.path)" : target)),
        "mode": file.isExecutable ? .number(0o555) : nil,
      ])
    }
  }
}

extension BoundContent {
  /// A config takes 500 KB.
  fileprivate var fitsConfigs: Bool {
    !files.isEmpty && files.allSatisfy { !$0.bytes.isEmpty && $0.bytes.count <= 500_000 }
  }
}

extension StackFile.ExposedPort {
  /// `80`, `8000-8010/udp`
  fileprivate var exported: String {
    let numbers = ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    return transport == .tcp ? numbers : "\(numbers)/\(transport.rawValue)"
  }
}
