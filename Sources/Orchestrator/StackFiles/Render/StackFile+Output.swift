import Addresses
import Vocabulary

extension StackFile {
  /// The stack as a file that says the same, with everything written out: what `stack config` prints.
  ///
  /// Reading it again gives the same stack. A `$` is doubled, since the reader takes a single one for a variable.
  /// What the file says of one service, as text that is the same whenever it says the same.
  package func text(of service: Service) -> String { service.output.json }

  package var output: OutputValue {
    .mapping([
      "name": .text(name.value),
      "services": .mapping(services.map { .init(key: $0.name.value, value: $0.output) }),
      "networks": .mapping(networks.map { .init(key: $0.name.value, value: $0.output) }),
      "volumes": volumes.isEmpty
        ? nil : .mapping(volumes.map { .init(key: $0.name.value, value: $0.output) }),
      "secrets": StackFile.output(secrets),
      "configs": StackFile.output(configs),
      "policies": policies.isEmpty ? nil : .list(policies.map(\.output)),
      "expect": expectations.isEmpty ? nil : .list(expectations.map(\.output)),
      "verify": verification.map { settings in
        .mapping([
          "live": settings.isLive ? .bool(true) : nil, "settle": settings.settle.map { .text(DurationText.text($0)) },
        ])
      },
      "links": links.isEmpty ? nil : .list(links.map(\.output)),
      "names": names == .network ? nil : .text(names.rawValue),
    ])
  }

  private static func output(_ sources: NamedList<FileSource>) -> OutputValue? {
    sources.isEmpty ? nil : .mapping(sources.map { .init(key: $0.name.value, value: $0.output) })
  }

  fileprivate static func output(_ labels: [Label]) -> OutputValue? {
    labels.isEmpty ? nil : .mapping(labels.map { .init(key: $0.name.value, value: .escaped($0.value)) })
  }
}

extension OutputValue {
  static func escaped(_ text: String) -> OutputValue {
    .text(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
  }

  fileprivate static func escaped(_ texts: [String]) -> OutputValue { .list(texts.map(OutputValue.escaped)) }
}

extension StackFile.Network {
  fileprivate var output: OutputValue {
    .mapping([
      "name": givenName.map { .text($0.value) },
      "external": external == nil ? nil : .bool(true),
      "driver": external == nil ? .text((driver?.value ?? .bridge).rawValue) : nil,
      "vlans": vlans.isEmpty
        ? nil
        : .mapping(
          vlans.map { vlan in
            .init(
              key: "\(vlan.id.value)",
              value: .mapping([
                "subnet": vlan.subnet.map { .text("\($0.value)") },
                "gateway": vlan.gateway.map { .text("\($0.value)") },
              ]))
          }),
      "parent": parent.map { .text($0.value) },
      "id": tunnelID.map { .number($0.value) },
      "remote": remote.map { .text("\($0.value)") },
      "local": local.map { .text("\($0.value)") },
      "port": tunnelPort.map { .number($0.value) },
      "enable_ipv6": hasIPv6 ? .bool(true) : nil,
      "ipam": addressesOutput,
      "internal": isInternal ? .bool(true) : nil,
      "host": hasHost ? nil : .bool(false),
      "mtu": mtu.map { .number($0.value) },
      "default": defaultAction == .deny ? .text(defaultAction.rawValue) : nil,
      "driver_opts": optionsOutput,
      "labels": StackFile.output(labels),
    ])
  }

  private var optionsOutput: OutputValue? {
    let options: [(String, Bool?)] = [
      ("enable_icc", isolatesServices ? false : nil), ("enable_ip_masquerade", masquerades ? nil : false),
    ]
    let entries = options.compactMap { name, value in
      value.map { OutputValue.Entry(key: "com.docker.network.bridge.\(name)", value: .bool($0)) }
    }
    return entries.isEmpty ? nil : .mapping(entries)
  }
}

extension StackFile.Rule {
  fileprivate var output: OutputValue { .mapping([.init(key: action.rawValue, value: .escaped(text.value))]) }
}

extension StackFile.Link {
  fileprivate var output: OutputValue {
    .mapping([
      "ends": .mapping(
        ends.map { end in
          .init(
            key: end.service.value,
            value: .mapping([
              "link": end.hostLink.map { .text($0.value) },
              "address": end.addresses.isEmpty ? nil : .list(end.addresses.map { .text("\($0.value)") }),
              "interface_name": end.interface.map { .text($0.value) },
              "mac_address": end.mac.map { .text("\($0.value)") },
            ]).adding(end.conditions.outputEntries))
        }),
      "mtu": mtu.map { .number($0.value) },
      "ipv6": ipv6.map { .text($0.value.rawValue) },
    ]).adding(conditions.outputEntries)
  }
}

extension StackFile.Network {
  /// In Compose's form, so that Compose reads it, too.
  fileprivate var addressesOutput: OutputValue? {
    let ipv4: OutputValue = .mapping([
      "subnet": subnet.map { .text("\($0.value)") },
      "gateway": gateway.map { .text("\($0.value)") },
      "ip_range": addressRange.map { .text("\($0.value)") },
      "aux_addresses": reserved.isEmpty
        ? nil
        : .mapping(reserved.enumerated().map { .init(key: "host\($0)", value: .text("\($1.value)")) }),
    ])
    let ipv6: OutputValue = .mapping([
      "subnet": subnet6.map { .text("\($0.value)") },
      "gateway": gateway6.map { .text("\($0.value)") },
    ])
    let pools = [ipv4, ipv6].filter { $0 != .mapping([]) }
    return pools.isEmpty ? nil : .mapping(["config": .list(pools)])
  }
}

extension StackFile.Volume {
  fileprivate var output: OutputValue {
    .mapping([
      "name": givenName.map { .text($0.value) },
      "external": external == nil ? nil : .bool(true),
      "driver": external == nil ? .text("local") : nil,
      "driver_opts": mounted.map { source in
        .mapping([
          "type": .escaped(source.type), "device": .escaped(source.device),
          "o": source.options.isEmpty ? nil : .escaped(source.options),
        ])
      },
      "labels": StackFile.output(labels),
    ])
  }
}

extension StackFile.Service {
  /// The service's mapping. Two services differ where their entries do, under the keys that people write.
  var output: OutputValue {
    guard case .mapping(let entries) = ownOutput else { return ownOutput }
    return .mapping(entries + securityOutput + limitsOutput + settingsOutput)
  }

  private var ownOutput: OutputValue {
    .mapping([
      "rootfs": rootOutput,
      "image": imageOutput,
      "platform": platform.map { .escaped($0.value) },
      "pull_policy": pullPolicy.map { .text($0.value.text) },
      "build": build?.output,
      "entrypoint": entrypoint.map { .escaped($0.value) },
      "command": command.map { .escaped($0.value) },
      "environment": environment.isEmpty
        ? nil : .mapping(environment.map { .init(key: $0.name.value, value: .escaped($0.value)) }),
      "working_dir": workingDirectory.map { .escaped($0.value) },
      "user": user.map { .escaped("\($0.value)") },
      "userns_mode": userNamespace.map { .text($0.value.rawValue) },
      "hostname": hostname.map { .text($0.value) },
      "domainname": domainname.map { .text($0.value) },
      "network_mode": networkMode.map { .text("\($0.value)") },
      "networks": networkMode == nil && (switching == nil || !attachments.isEmpty)
        ? .mapping(attachments.map { .init(key: $0.network.value, value: $0.output) }) : nil,
      "routes": routes.isEmpty ? nil : .list(routes.map { .text($0.text) }),
      "switch": switching.map { own in
        .mapping([
          "stp": own.value.usesSpanningTree ? .bool(true) : nil, "interface_name": .text(own.value.interface),
        ])
      },
      "loopback": loopback.isEmpty ? nil : .texts(loopback.map(\.value.description)),
      "forward": forwarding.map { .bool($0.value) },
      "extra_hosts": extraHosts.isEmpty
        ? nil : .list(extraHosts.map { .text("\($0.name.value)=\($0.address.value)") }),
      "dns": nameResolution.servers.isEmpty ? nil : .texts(nameResolution.servers.map { "\($0.value)" }),
      "dns_search": nameResolution.search.map { .texts($0.isEmpty ? ["."] : $0.map(\.value)) },
      "dns_opt": nameResolution.options.map { .texts($0.map(\.value)) },
      "ports": ports.isEmpty ? nil : .list(ports.map(\.output)),
      "expose": exposed.isEmpty ? nil : .list(exposed.map { .text("\($0.ports.text)/\($0.transport.rawValue)") }),
      "volumes": ownMounts.isEmpty ? nil : .list(ownMounts.map(\.output)),
      "volumes_from": volumesFrom.isEmpty
        ? nil : .texts(volumesFrom.map { $0.service.value + ($0.isReadOnly ? ":ro" : "") }),
      "secrets": output(files, .secret),
      "configs": output(files, .config),
      "links": output(namedLinks.filter { !$0.isExternal }),
      "external_links": output(namedLinks.filter(\.isExternal)),
      "develop": watchRules.isEmpty ? nil : .mapping(["watch": .list(watchRules.map(\.output))]),
      "depends_on": dependencies.isEmpty
        ? nil : .mapping(dependencies.map { .init(key: $0.service.value, value: $0.output) }),
      "healthcheck": imageName == nil ? healthCheck?.output : healthOverrides.output,
      "post_start": postStart.isEmpty ? nil : .list(postStart.map(\.output)),
      "pre_stop": preStop.isEmpty ? nil : .list(preStop.map(\.output)),
      "restart": .text(restart.text),
      "stop_signal": stopSignal.map { .text("\($0.value)") },
      "stop_grace_period": .text(DurationText.text(stopGracePeriod)),
      "init": .bool(hasInit),
      "tty": hasTerminal ? .bool(true) : nil,
      "stdin_open": keepsStandardInputOpen ? .bool(true) : nil,
      "read_only": isReadOnly ? .bool(true) : nil,
      "scale": .number(scale.value),
      "container_name": containerName.map { .text($0.value) },
      "profiles": profiles.isEmpty ? nil : .texts(profiles.map(\.value)),
      "labels": StackFile.output(labels),
    ])
  }

  /// Those that do not follow from other keys.
  private var ownMounts: [StackFile.Mount] { mounts.filter { !$0.isDerived } }

  private var imageOutput: OutputValue? {
    guard case .image(let source) = rootfs.value else { return nil }
    return .escaped("\(source)")
  }

  private var rootOutput: OutputValue? {
    switch rootfs.value {
    case .image: nil
    case .host: .text("host")
    case .folder(let path, let mode): .mapping(["path": .escaped(path), "mode": .text(mode.rawValue)])
    }
  }
}

extension StackFile.Attachment {
  fileprivate var output: OutputValue {
    .mapping([
      "ipv4_address": address.map { .text("\($0.value)") },
      "ipv6_address": address6.map { .text("\($0.value)") },
      "addresses": furtherAddresses.isEmpty ? nil : .texts(furtherAddresses.map(\.value.description)),
      "mac_address": mac.map { .text("\($0.value)") },
      "interface_name": interface.map { .text($0.value) },
      "vlan": vlan?.value.output,
      "aliases": aliases.isEmpty ? nil : .texts(aliases.map(\.value)),
      "claims": claims.isEmpty ? nil : .texts(claims.map(\.value.description)),
      "gw_priority": gatewayPriority == 0 ? nil : .number(gatewayPriority),
    ]).adding(conditions.outputEntries)
  }
}

extension StackFile.VLANMembership {
  fileprivate var output: OutputValue {
    switch self {
    case .access(let id): .mapping(["access": .number(id.value)])
    case .trunk(let vlans) where vlans.contains { $0.address != nil }:
      .mapping([
        "trunk": .mapping(
          vlans.map { .init(key: "\($0.id.value)", value: $0.address.map { .text("\($0.value)") } ?? .text("")) })
      ])
    case .trunk(let vlans): .mapping(["trunk": .list(vlans.map { .number($0.id.value) })])
    }
  }
}

extension StackFile.PublishedPort {
  /// The long form; the short form for ranges, where it says as much.
  fileprivate var output: OutputValue {
    let published: String? =
      switch host {
      case .free: nil
      case .oneOf(let range), .fixed(let range): range.text
      }
    guard container.count > 1, sources == nil else {
      return .mapping([
        "target": container.count > 1 ? .text(container.text) : .number(Int(container.lowerBound)),
        "published": published.map(OutputValue.text),
        "host_ip": address.map { .text("\($0)") },
        "protocol": .text(transport.rawValue),
        "from": sources.map { .texts($0.map { "\($0.value)" }) },
      ])
    }
    let host = address.map { address in
      if case .v6(_) = address { return "[\(address)]" }
      return "\(address)"
    }
    let parts =
      host == nil && published == nil ? [container.text] : [host, published ?? "", container.text].compactMap { $0 }
    return .text(parts.joined(separator: ":") + "/" + transport.rawValue)
  }
}

extension ClosedRange<UInt16> {
  fileprivate var text: String { count == 1 ? "\(lowerBound)" : "\(lowerBound)-\(upperBound)" }
}

extension StackFile.Mount {
  fileprivate var output: OutputValue {
    var entries: [OutputValue.Entry] = []
    switch source {
    case .bind(let path, let creates):
      entries = [
        .init(key: "type", value: .text("bind")), .init(key: "source", value: .escaped(path)),
        .init(
          key: "bind",
          value: .mapping([
            "create_host_path": .bool(creates), "propagation": followsHost ? .text("rslave") : nil,
          ])),
      ]
    case .volume(let name):
      entries = [.init(key: "type", value: .text("volume")), .init(key: "source", value: .text(name))]
    case .anonymous, .anonymousOf, .contents:
      entries = [.init(key: "type", value: .text("volume"))]
    case .tmpfs(let tmpfs):
      entries = [.init(key: "type", value: .text("tmpfs"))]
      let details = tmpfs.output
      if details != .mapping([]) { entries.append(.init(key: "tmpfs", value: details)) }
    }
    entries.append(.init(key: "target", value: .escaped(target.value)))
    if isReadOnly { entries.append(.init(key: "read_only", value: .bool(true))) }
    if !takesOver || subpath != nil {
      entries.append(
        .init(
          key: "volume",
          value: .mapping(["nocopy": takesOver ? nil : .bool(true), "subpath": subpath.map(OutputValue.escaped)])))
    }
    return .mapping(entries)
  }
}

extension StackFile.Tmpfs {
  fileprivate var output: OutputValue {
    .mapping([
      "size": size.map { .text(String($0)) },
      "mode": mode.map { .text("0" + String($0, radix: 8)) },
      "uid": user.map { .number(Int($0)) },
      "gid": group.map { .number(Int($0)) },
      "exec": isExecutable ? .bool(true) : nil,
      "options": options.isEmpty && !keepsAccessTimes
        ? nil : .texts(options + (keepsAccessTimes ? ["noatime"] : [])),
    ])
  }
}

extension StackFile.Dependency {
  fileprivate var output: OutputValue {
    .mapping([
      "condition": .text(condition.rawValue),
      "required": .bool(isRequired),
      "restart": restartsWithIt ? .bool(true) : nil,
    ])
  }
}

extension StackFile.RestartPolicy {
  /// As it is written in a file.
  var text: String {
    switch self {
    case .no: "no"
    case .always: "always"
    case .unlessStopped: "unless-stopped"
    case .onFailure(let count): count.map { "on-failure:\($0)" } ?? "on-failure"
    }
  }
}

extension StackFile.HealthCheck.Test {
  /// As a list, for `test:`.
  fileprivate var words: [String] {
    switch self {
    case .command(let words): ["CMD"] + words
    case .shell(let text): ["CMD-SHELL", text]
    }
  }
}

extension StackFile.HealthOverrides {
  /// The `healthcheck` key that changes an image's own check. Nil if the file changes nothing.
  fileprivate var output: OutputValue? {
    if isDisabled { return .mapping(["disable": .bool(true)]) }
    guard self != Self() else { return nil }
    return .mapping([
      "test": test.map { .escaped($0.value.words) },
      "interval": interval.map { .text(DurationText.text($0)) },
      "timeout": timeout.map { .text(DurationText.text($0)) },
      "start_period": startPeriod.map { .text(DurationText.text($0)) },
      "start_interval": startInterval.map { .text(DurationText.text($0)) },
      "retries": retries.map { .number($0) },
    ])
  }
}

extension StackFile.HealthCheck {
  fileprivate var output: OutputValue {
    .mapping([
      "test": .escaped(test.value.words),
      "interval": .text(DurationText.text(interval)),
      "timeout": .text(DurationText.text(timeout)),
      "start_period": .text(DurationText.text(startPeriod)),
      "start_interval": .text(DurationText.text(startInterval)),
      "retries": .number(retries),
    ])
  }
}

extension VariableUse {
  /// A line of `stack config --variables`.
  var output: OutputValue {
    .mapping([
      "name": .text(name),
      "required": .bool(isRequired),
      "default": .text(defaultValue ?? ""),
      "alternate": .text(alternateValue ?? ""),
    ])
  }
}

extension StackFile.Hook {
  var output: OutputValue {
    .mapping([
      "command": .escaped(command.value),
      "user": user.map { .text($0.value.description) },
      "working_dir": workingDirectory.map { .text($0.value) },
      "environment": environment.isEmpty
        ? nil : .mapping(environment.map { .init(key: $0.name.value, value: .escaped($0.value)) }),
      "privileged": isPrivileged ? .bool(true) : nil,
    ])
  }
}
