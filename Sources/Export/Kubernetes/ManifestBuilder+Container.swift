import Intent
import Isolation
import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// - Parameter isFirst: true for an initContainer, which has neither probes nor hooks.
  mutating func container(
    _ service: StackFile.Service, _ places: VolumePlaces, isFirst: Bool = false
  ) -> OutputValue {
    noteRoot(service)
    noteProcess(service)
    let (command, arguments) = words(service)
    let ports = (service.ports.map { ($0.container, $0.transport) } + service.exposed.map { ($0.ports, $0.transport) })
      .filter { $0.0.count <= 100 }.flatMap { range, transport in range.map { ContainerPort(number: $0, transport) } }
    let environment = Dictionary(service.environment.map { ($0.name.value, $0.value) }, uniquingKeysWith: { $1 })
    return .mapping([
      "name": .text(service.name.value), "image": .text(image(service)),
      "imagePullPolicy": service.pullPolicy.map { .text($0.value.exported) },
      "command": command.isEmpty ? nil : .texts(command.map(Self.unexpanded)),
      "args": arguments.isEmpty ? nil : .texts(arguments.map(Self.unexpanded)),
      "workingDir": service.workingDirectory.map { .text($0.value) },
      "env": OutputValue.list(
        environment.sorted { $0.key < $1.key }.map {
          .mapping(["name": .text($0.key), "value": .text(Self.unexpanded($0.value))])
        }, unlessEmpty: true),
      "ports": OutputValue.list(
        ports.uniqued().map {
          .mapping(["containerPort": .number(Int($0.number)), "protocol": .text($0.transport.rawValue.uppercased())])
        }, unlessEmpty: true),
      "resources": resources(service).unlessEmpty,
      "securityContext": containerSecurity(service),
      "startupProbe": isFirst ? nil : startupProbe(service), "readinessProbe": isFirst ? nil : readinessProbe(service),
      "lifecycle": isFirst ? nil : lifecycle(service),
      "stdin": service.keepsStandardInputOpen ? .bool(true) : nil, "tty": service.hasTerminal ? .bool(true) : nil,
      "volumeMounts": OutputValue.list(places.mounts[service.name.value] ?? [], unlessEmpty: true),
    ])
  }

  private struct ContainerPort: Hashable {
    var number: UInt16
    var transport: StackFile.TransportProtocol

    init(number: UInt16, _ transport: StackFile.TransportProtocol) {
      (self.number, self.transport) = (number, transport)
    }
  }

  /// Kubernetes takes `$(NAME)` for a variable.
  static func unexpanded(_ text: String) -> String { text.replacing("$(", with: "$$(") }

  func image(_ service: StackFile.Service) -> String { service.exportedImage(namespace, options) }

  /// Its own image says what its entrypoint is; one that has yet to be made has none.
  private func words(_ service: StackFile.Service) -> (command: [String], arguments: [String]) {
    guard service.imageName != nil else { return (service.arguments, []) }
    // Without a command of its own, a container has the image's entrypoint.
    if service.dropsEntrypoint { return (service.command?.value ?? [], []) }
    return (service.entrypoint?.value ?? [], service.command?.value ?? [])
  }

  private mutating func noteRoot(_ service: StackFile.Service) {
    let name = image(service)
    switch service.rootfs.value {
    case .image(let source):
      if options.registry != nil || !"\(source)".contains("@") {
        ledger.settle(
          key(service, "image"), .kept,
          "the image \(name)"
            + ("\(source)".contains("@") ? "" : ", whose tag may come to mean another one (--resolve-image-digests)"))
      }
      let text = "\(source)"
      if ["oci:", "docker-archive:", "oci-archive:", "dir:"].contains(where: text.hasPrefix) {
        ledger.note(
          key(service, "image"), .lost, "\(text) is a file of this host",
          do: "push it to a registry, and name it as it is there")
      }
    case .host, .folder:
      let what = service.rootfs.value == .host ? "programs of this host" : "folders of this host"
      ledger.note(
        key(service, "rootfs"), .lost, "a pod has no \(what): it wants the image \(name)",
        do: "make that image and push it", at: service.name.span)
    }
  }

  private mutating func noteProcess(_ service: StackFile.Service) {
    if service.imageName != nil, service.dropsEntrypoint, service.command?.value.isEmpty ?? true {
      ledger.note(
        key(service, "entrypoint"), .lost, "the image's entrypoint runs: its own command cannot be had without it",
        do: "write the `command:`")
    }
    if !service.hasInit { ledger.settle(key(service, "init"), .kept, "the program is process 1 there too") }
    if service.networkMode == nil, service.hostname != nil {
      ledger.settle(
        key(service, "hostname"), .changed, "a Service of that name; the pod calls itself \(service.name.value)-1")
    }
  }

  // MARK: - Rights

  /// Docker's default capabilities, which the runtimes of Kubernetes give too.
  private static let usual = CapabilitySet.standard.union(CapabilitySet([.mknod, .auditWrite]))

  private mutating func containerSecurity(_ service: StackFile.Service) -> OutputValue {
    let security = input.security[service.name.value] ?? DesiredSecurity()
    let wanted = security.capabilities
    let (user, group) = numbers(service)
    let isBoundless = service.isPrivileged || wanted.contains(.sysAdmin)
    let forbids = security.forbidsNewPrivileges
    if forbids, isBoundless, !service.isPrivileged {
      ledger.note(
        key(service, "security_opt"), .changed, "with SYS_ADMIN, allowPrivilegeEscalation cannot be false",
        at: service.name.span)
    }
    return .mapping([
      "privileged": service.isPrivileged ? .bool(true) : nil,
      "allowPrivilegeEscalation": isBoundless ? nil : .bool(!forbids),
      "readOnlyRootFilesystem": service.isReadOnly ? .bool(true) : nil,
      "runAsUser": user.map { .number($0) }, "runAsGroup": group.map { .number($0) },
      "capabilities": service.isPrivileged ? nil : capabilities(wanted),
      "seccompProfile": service.isPrivileged ? nil : filter(service),
    ])
  }

  private func capabilities(_ wanted: CapabilitySet) -> OutputValue? {
    func names(_ set: CapabilitySet) -> [String] {
      Capability.allCases.filter { set.contains($0) }.map(\.name).sorted()
    }
    if wanted == .all { return .mapping(["add": .texts(["ALL"])]) }
    let missing = names(Self.usual.subtracting(wanted))
    if missing.count > Self.usual.rawValue.nonzeroBitCount / 2 {
      let added = names(wanted)
      return .mapping(["drop": .texts(["ALL"]), "add": added.isEmpty ? nil : .texts(added)])
    }
    let added = names(wanted.subtracting(Self.usual))
    return .mapping([
      "drop": missing.isEmpty ? nil : .texts(missing), "add": added.isEmpty ? nil : .texts(added),
    ])
  }

  private mutating func filter(_ service: StackFile.Service) -> OutputValue {
    guard service.isFiltered else { return .mapping(["type": .text("Unconfined")]) }
    guard service.seccompProfile != nil else { return .mapping(["type": .text("RuntimeDefault")]) }
    let file = service.seccompPath?.split(separator: "/").last.map(String.init) ?? "profile.json"
    let path = "\(namespace)/\(file)"
    ledger.note(
      key(service, "security_opt"), .changed, "the filter is the file \(path) of each node",
      do: "copy it to /var/lib/kubelet/seccomp/\(path) of each node")
    return .mapping(["type": .text("Localhost"), "localhostProfile": .text(path)])
  }

  /// Numbers of its user and group. Kubernetes knows no names, whose meaning is written in the image.
  private mutating func numbers(_ service: StackFile.Service) -> (user: Int?, group: Int?) {
    guard let user = service.user?.value else { return (nil, nil) }
    func number(_ text: String) -> Int? { text == "root" ? 0 : Int(text) }
    var numbers = (user: number(user.user), group: user.group.flatMap(number))
    let names = [user.user, user.group].compactMap(\.self).filter { number($0) == nil }
    if !names.isEmpty, let found = input.users[service.name.value] {
      numbers = (Int(found.user), Int(found.group))
      ledger.note(key(service, "user"), .kept, "\(found.user):\(found.group), by the image's /etc/passwd")
    } else if !names.isEmpty {
      ledger.note(
        key(service, "user"), .lost,
        names.map { "`\($0)`" }.joined(separator: " and ")
          + ": names are those of the image, which is not here, and Kubernetes takes numbers",
        do: "stack pull, and export as root; or write the numbers of the image's /etc/passwd: user: \"33:33\"")
    }
    if numbers.user != 0, !service.addedCapabilities.isEmpty {
      ledger.note(
        key(service, "cap_add"), .changed, "a user other than root has them only for programs with file capabilities")
    }
    return numbers
  }
}

extension StackFile.PullPolicy {
  fileprivate var exported: String {
    switch self {
    // A cluster has no ages of images.
    case .always, .every: "Always"
    // Images are built and pushed before.
    case .missing, .ifNotPresent, .build: "IfNotPresent"
    case .never: "Never"
    }
  }
}
