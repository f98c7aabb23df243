import Addresses
import Intent
import Isolation
import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// The pod of a service, with those that share its network.
  mutating func podTemplate(
    _ members: [StackFile.Service], labels: [String: String], restart: String, places: VolumePlaces
  ) -> OutputValue {
    guard let service = members.first else { return .mapping([]) }
    var annotations = Dictionary(
      members.flatMap(\.labels).filter { !Self.isLabel($0) }.filter { label in Self.isAnnotation(label) }
        .map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 })
    for label in members.flatMap(\.labels) where !Self.isLabel(label) {
      note(label, of: service)
    }
    let isFinishing = finishing.contains(service.name.value)
    let programs = members.map { container($0, places, isFirst: isFinishing) }
    if isFinishing {
      noteEnd(of: service)
      // `kubectl logs` shows the program, and not the container that stays.
      annotations["kubectl.kubernetes.io/default-container"] = service.name.value
    }
    var spec: [OutputValue.Entry] = []
    func add(_ key: String, _ value: OutputValue?) {
      if let value { spec.append(.init(key: key, value: value)) }
    }
    let isOnHost = service.networkMode?.value == .host
    add("restartPolicy", .text(restart))
    add("automountServiceAccountToken", .bool(false))
    add("enableServiceLinks", .bool(false))
    add("terminationGracePeriodSeconds", .number(members.map { $0.stopGracePeriod.wholeSeconds }.max() ?? 10))
    if members.contains(where: { $0.stopSignal != nil }) { add("os", .mapping(["name": .text("linux")])) }
    if isOnHost {
      add("hostNetwork", .bool(true))
      add("dnsPolicy", .text("ClusterFirstWithHostNet"))
    }
    if members.contains(where: { $0.settings.ipc == .host }) { add("hostIPC", .bool(true)) }
    if members.contains(where: { $0.settings.pid == .host }) { add("hostPID", .bool(true)) }
    if sharesProcesses(members) { add("shareProcessNamespace", .bool(true)) }
    if hasOwnUsers(members) { add("hostUsers", .bool(false)) }
    add("nodeSelector", nodeSelector(service))
    add("hostAliases", hostAliases(members))
    add("dnsConfig", resolverSettings(service))
    add("securityContext", podSecurity(members))
    let first = firstContainers(members, places) + (isFinishing ? programs : [])
    add("initContainers", OutputValue.list(first, unlessEmpty: true))
    add("containers", .list(isFinishing ? [stayingContainer] : programs))
    add("volumes", OutputValue.list(places.volumes, unlessEmpty: true))
    return .mapping([
      "metadata": KubernetesObject.metadata(labels: labels, annotations: annotations), "spec": .mapping(spec),
    ])
  }

  /// The key of an annotation has the form of a label's; its value may be anything.
  static func isAnnotation(_ label: StackFile.Label) -> Bool {
    var bare = label
    bare.value = ""
    return isLabel(bare)
  }

  private mutating func note(_ label: StackFile.Label, of service: StackFile.Service) {
    if Self.isAnnotation(label) {
      ledger.note(key(service, "labels"), .changed, "`\(label.name.value)` is an annotation: no label holds its value")
    } else {
      ledger.note(
        key(service, "labels"), .lost, "`\(label.name.value)` cannot be the name of a label",
        do: "rename it: letters, digits, - _ . and one domain before a /")
    }
  }

  // MARK: - Namespaces

  private mutating func sharesProcesses(_ members: [StackFile.Service]) -> Bool {
    var shares = false
    for service in members {
      for (name, namespace) in [("pid", service.settings.pid), ("ipc", service.settings.ipc)] {
        guard case .service(let other) = namespace else { continue }
        guard members.contains(where: { $0.name.value == other }) else {
          ledger.note(
            key(service, name), .lost, "only services in one pod share a namespace",
            do: "write `network_mode: service:\(other)` beside it, which makes them one pod")
          continue
        }
        if name == "pid" { shares = true }
      }
    }
    return shares
  }

  /// Ids of its own, as here. The kubelet takes no such pod with a namespace of the node.
  private mutating func hasOwnUsers(_ members: [StackFile.Service]) -> Bool {
    let bound = members.contains { service in
      service.networkMode?.value == .host || service.settings.ipc == .host || service.settings.pid == .host
        || service.isPrivileged || service.userNamespace?.value == .host
    }
    return !bound
  }

  private mutating func podSecurity(_ members: [StackFile.Service]) -> OutputValue? {
    var groups: [Int] = []
    var parameters: [(String, String)] = []
    for service in members {
      for group in service.settings.groups {
        if let number = Int(group) {
          groups.append(number)
        } else {
          ledger.note(
            key(service, "group_add"), .lost, "`\(group)` is a name, and Kubernetes takes numbers",
            do: "write the number that the group has in the image")
        }
      }
      parameters += sysctls(of: service)
    }
    let sysctls = Dictionary(parameters, uniquingKeysWith: { $1 }).sorted { $0.key < $1.key }
    return OutputValue.mapping([
      "supplementalGroups": groups.isEmpty ? nil : .list(groups.uniqued().map { .number($0) }),
      "sysctls": sysctls.isEmpty
        ? nil : .list(sysctls.map { .mapping(["name": .text($0.key), "value": .text($0.value)]) }),
    ]).unlessEmpty
  }

  /// Those that a kubelet permits without being told to (Kubernetes, "Using sysctls").
  private static let safeSysctls: Set<String> = [
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
  ]

  private mutating func sysctls(of service: StackFile.Service) -> [(String, String)] {
    let isOnHost = service.networkMode?.value == .host
    var values: [(String, String)] = []
    // Users other than root may listen on low ports here. Not all runtimes permit that by themselves.
    if !isOnHost, service.user.map({ !["root", "0"].contains($0.value.user) }) ?? false {
      values.append(("net.ipv4.ip_unprivileged_port_start", "0"))
    }
    for (path, value) in service.settings.kernelParameters.sorted(by: { $0.key < $1.key }) {
      let name = path.split(separator: "/").joined(separator: ".")
      if isOnHost, name.hasPrefix("net.") {
        ledger.note(
          key(service, "sysctls"), .lost, "\(name) would be the node's", do: "set it on the node")
        continue
      }
      if !Self.safeSysctls.contains(name) {
        ledger.note(
          key(service, "sysctls"), .changed, "a kubelet refuses \(name) by itself",
          do: "start kubelets with --allowed-unsafe-sysctls=\(name)")
      }
      values.append((name, value))
    }
    return values
  }

  // MARK: - Names and nodes

  private func nodeSelector(_ service: StackFile.Service) -> OutputValue? {
    guard let parts = service.platform?.value.split(separator: "/"), parts.count > 1 else { return nil }
    return .texts(["kubernetes.io/arch": String(parts[1])])
  }

  private mutating func hostAliases(_ members: [StackFile.Service]) -> OutputValue? {
    var names: [String: [String]] = [:]
    for service in members {
      for host in service.extraHosts {
        switch host.address.value {
        case .fixed(let address): names["\(address)", default: []].append(host.name.value)
        case .gateway:
          ledger.note(
            key(service, "extra_hosts"), .lost, "`\(host.name.value)`: a pod has no name for its node",
            do: "pass status.hostIP by the downward API")
        }
      }
    }
    let lines = names.sorted { $0.key < $1.key }.map { address, names in
      OutputValue.mapping(["ip": .text(address), "hostnames": .texts(names.uniqued())])
    }
    return OutputValue.list(lines, unlessEmpty: true)
  }

  private func resolverSettings(_ service: StackFile.Service) -> OutputValue? {
    let resolution = service.nameResolution
    let options = (resolution.options ?? []).map { option -> OutputValue in
      let parts = option.value.split(separator: ":", maxSplits: 1).map(String.init)
      return .mapping(["name": .text(parts[0]), "value": parts.count == 2 ? .text(parts[1]) : nil])
    }
    let domains = (resolution.search ?? []).map(\.value).filter { $0 != "." }
    return OutputValue.mapping([
      "searches": domains.isEmpty ? nil : .texts(domains), "options": OutputValue.list(options, unlessEmpty: true),
    ]).unlessEmpty
  }
}

extension Duration {
  /// Rounded up.
  var wholeSeconds: Int { Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0) }
}
