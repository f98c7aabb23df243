import StackFiles
import Vocabulary

/// The volumes of a pod and where its containers see them.
struct VolumePlaces {
  var volumes: [OutputValue] = []
  /// By service.
  var mounts: [String: [OutputValue]] = [:]
  /// Containers that fill a new claim with what the image has in its place.
  var fillers: [OutputValue] = []

  fileprivate mutating func add(_ name: String, _ source: KeyValuePairs<String, OutputValue?>) {
    let value = OutputValue.mapping(["name": .text(name)])
      .adding(source.compactMap { key, value in value.map { .init(key: key, value: $0) } })
    if !volumes.contains(value) { volumes.append(value) }
  }

  fileprivate mutating func mount(
    _ name: String, at path: String, in service: String, isReadOnly: Bool = false, part: String? = nil,
    followsNode: Bool = false
  ) {
    mounts[service, default: []].append(
      .mapping([
        "name": .text(name), "mountPath": .text(path), "subPath": part.map { .text($0) },
        "readOnly": isReadOnly ? .bool(true) : nil, "mountPropagation": followsNode ? .text("HostToContainer") : nil,
      ]))
  }
}

extension ManifestBuilder {
  /// A claim for each named volume that is mounted.
  mutating func claims(_ services: [StackFile.Service]) -> [Manifest] {
    input.file.volumes.sorted { $0.name.value < $1.name.value }.compactMap { volume in
      let name = volume.name.value
      let users = input.services.filter { service in service.mounts.contains { $0.source == .volume(name) } }
      let pods = Set(users.map { $0.host ?? $0.name.value })
      let replicas = users.map(\.scale.value).max() ?? 0
      guard !users.isEmpty else {
        ledger.settle("volumes.\(name)", .kept, "nobody mounts it")
        return nil
      }
      guard volume.external == nil else {
        ledger.note(
          "volumes.\(name)", .changed, "a claim \(volume.claimName) that is in the Namespace already",
          do: "make it before, with all that is to be in it", at: volume.name.span)
        return nil
      }
      let isShared = pods.count > 1 || replicas > 1
      ledger.note(
        "volumes.\(name)", .changed,
        "a claim of 1Gi, \(isShared ? "ReadWriteMany, since several pods mount it" : "ReadWriteOnce")",
        do: "set its size and StorageClass"
          + (isShared ? "; one that offers ReadWriteMany" : ""), at: volume.name.span)
      let labels = Dictionary(
        keepingFirst: volume.labels.filter(Self.isLabel).map { ($0.name.value, $0.value) })
      let value = KubernetesObject.value(
        "v1", "PersistentVolumeClaim", name: name, namespace: namespace, labels: labels,
        [
          "spec": .mapping([
            "accessModes": .texts([isShared ? "ReadWriteMany" : "ReadWriteOnce"]),
            "resources": .mapping(["requests": .texts(["storage": "1Gi"])]),
          ])
        ])
      return Manifest(
        kind: "PersistentVolumeClaim", name: name, places: [volume.name.span.place], file: "volumes.yaml", value: value)
    }
  }

  /// The ConfigMaps of a pod, and all of its volumes.
  mutating func configurationMaps(_ members: [StackFile.Service], file: String) -> ([Manifest], VolumePlaces) {
    var places = VolumePlaces()
    var manifests: [Manifest] = []
    for service in members {
      for (number, mount) in service.mounts.enumerated() {
        if let manifest = place(mount, number: number + 1, of: service, &places, file: file) {
          manifests.append(manifest)
        }
      }
      if let size = service.settings.sharedMemorySize,
        !service.mounts.contains(where: { $0.target.value == "/dev/shm" })
      {
        let name = "\(service.name.value)-shm"
        places.add(name, ["emptyDir": .mapping(["medium": .text("Memory"), "sizeLimit": .text("\(size)")])])
        places.mount(name, at: "/dev/shm", in: service.name.value)
      }
    }
    return (manifests, places)
  }

  private mutating func place(
    _ mount: StackFile.Mount, number: Int, of service: StackFile.Service, _ places: inout VolumePlaces, file: String
  ) -> Manifest? {
    let owner = service.name.value
    let (target, name) = (mount.target.value, "\(service.name.value)-\(number)")
    switch mount.source {
    case .tmpfs(let tmpfs):
      places.add(
        name,
        ["emptyDir": .mapping(["medium": .text("Memory"), "sizeLimit": tmpfs.size.map { .text("\($0)") }])])
      places.mount(name, at: target, in: owner)
      note(tmpfs, at: target, of: service)
    case .anonymous:
      places.add(name, ["emptyDir": .mapping([])])
      places.mount(name, at: target, in: owner)
    case .volume(let volume):
      let claim = input.file.volumes[volume].map(\.claimName) ?? volume
      places.add("volume-\(volume)", ["persistentVolumeClaim": .mapping(["claimName": .text(claim)])])
      places.mount("volume-\(volume)", at: target, in: owner, isReadOnly: mount.isReadOnly, part: mount.subpath)
      if mount.takesOver, !mount.isReadOnly, service.imageName != nil {
        places.fillers.append(filler(volume, target, part: mount.subpath, of: service))
        ledger.note(
          key(service, "volumes"), .kept, "an initContainer copies what the image has at \(target), as `stack` does")
      }
    case .bind(let path, let creates):
      if mount.isReadOnly, let content = input.contents[path] {
        return configurationMap(content, mount, name, of: service, &places, file: file)
      }
      places.add(
        name,
        [
          "hostPath": .mapping([
            "path": .text(path), "type": creates && !mount.isReadOnly ? .text("DirectoryOrCreate") : nil,
          ])
        ])
      places.mount(name, at: target, in: owner, isReadOnly: mount.isReadOnly, followsNode: mount.followsHost)
      ledger.note(
        key(service, "volumes"), .changed, "\(path) is a folder of whichever node the pod is on",
        do: "use a named volume, or have the folder on each node", at: mount.span)
    case .contents(let contents):
      return configurationMap(
        BoundContent(contents, at: target), mount, name, of: service, &places, file: file)
    case .anonymousOf(let other):
      places.add(name, ["emptyDir": .mapping([])])
      places.mount(name, at: target, in: owner)
      ledger.note(
        key(service, "volumes_from"), .lost, "\(target) is empty here: pods do not share what \(other) has there",
        do: "give both a named volume")
    }
    return nil
  }

  private mutating func note(_ tmpfs: StackFile.Tmpfs, at target: String, of service: StackFile.Service) {
    // In the long form under `volumes:`, each of these is a key with a row of its own.
    let key = key(service, "tmpfs")
    guard input.hasKey(key) else { return }
    if tmpfs.mode != nil || tmpfs.user != nil || tmpfs.group != nil {
      ledger.note(
        key, .lost, "the mode and the owner of \(target): an emptyDir has mode 0777", do: "set them in the command")
    }
    if !tmpfs.options.isEmpty {
      ledger.note(
        key, .lost, "\(tmpfs.options.joined(separator: ", ")) of \(target): an emptyDir has a size alone",
        do: "write the size in bytes: size=64m")
    }
  }

  // MARK: - Contents

  private func filler(
    _ volume: String, _ target: String, part: String?, of service: StackFile.Service
  ) -> OutputValue {
    let name = "fill-\(service.name.value)-\(volume)"
    let path = Shell.quoted(target)
    let script =
      "[ -n \"$(ls -A /stack-volume)\" ] || [ ! -d \(path) ] || cp -a \(path)/. /stack-volume/"
    return .mapping([
      "name": .text(String(name.prefix(63))), "image": .text(image(service)),
      "command": .texts(["/bin/sh", "-c", Self.unexpanded(script)]),
      "securityContext": .mapping(["runAsUser": .number(0)]),
      "volumeMounts": .list([
        .mapping([
          "name": .text("volume-\(volume)"), "mountPath": .text("/stack-volume"), "subPath": part.map { .text($0) },
        ])
      ]),
    ])
  }

  private mutating func configurationMap(
    _ content: BoundContent, _ mount: StackFile.Mount, _ name: String, of service: StackFile.Service,
    _ places: inout VolumePlaces, file: String
  ) -> Manifest {
    let isSecret = mount.isSecret
    // Secrets go into a file that nobody else reads.
    let file = isSecret ? Manifest.secretsFile : file
    var (texts, binaries): ([String: String], [String: String]) = ([:], [:])
    var items: [OutputValue] = []
    for (number, part) in content.files.enumerated() {
      let path = content.isFolder ? part.path : part.source.split(separator: "/").last.map(String.init) ?? "file"
      let key = Self.isMapKey(path) ? path : "file-\(number + 1)"
      if !isSecret, let text = String(validating: part.bytes, as: UTF8.self), !text.utf8.contains(0) {
        texts[key] = text
      } else {
        binaries[key] = Base64.text(part.bytes)
      }
      let mode = part.mode ?? (part.isExecutable ? 0o755 : nil)
      items.append(
        .mapping(["key": .text(key), "path": .text(path), "mode": mode.map { .number(Int($0)) }]))
    }
    let list = OutputValue.list(items, unlessEmpty: true)
    if isSecret {
      places.add(name, ["secret": .mapping(["secretName": .text(name), "items": list])])
    } else {
      places.add(name, ["configMap": .mapping(["name": .text(name), "items": list])])
    }
    let single = content.isFolder ? nil : mount.hostName
    places.mount(name, at: mount.target.value, in: service.name.value, isReadOnly: true, part: single)
    let kind = isSecret ? "Secret" : "ConfigMap"
    let source = mount.fileKind.map { "\($0.rawValue)s" } ?? "volumes"
    ledger.note(
      key(service, source), .kept, "\(mount.target.value) is a \(kind) with what the file names now")
    if case .contents(let contents) = mount.source { noteOwner(contents, mount, of: service, key(service, source)) }
    let value = KubernetesObject.value(
      "v1", kind, name: name, namespace: namespace,
      [
        "data": texts.isEmpty ? nil : .texts(texts),
        isSecret ? "data" : "binaryData": binaries.isEmpty ? nil : .texts(binaries),
      ])
    return Manifest(kind: kind, name: name, places: [mount.span.place], file: file, value: value)
  }

  /// Files of ConfigMaps and Secrets are root's.
  private mutating func noteOwner(
    _ contents: StackFile.FileContents, _ mount: StackFile.Mount, of service: StackFile.Service, _ key: String
  ) {
    guard contents.user != 0 || contents.group != 0 else { return }
    let isForAll = contents.mode & 0o004 != 0
    ledger.note(
      key, isForAll ? .changed : .lost,
      "\(mount.target.value) is root's and not \(contents.user):\(contents.group)'s"
        + (isForAll ? "" : ", which may not read it"),
      do: isForAll ? nil : "leave out `mode:`, or copy it in an initContainer", at: mount.span)
  }

  private static func isMapKey(_ path: String) -> Bool {
    path.utf8.count <= 253 && path.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
  }
}

extension StackFile.Mount {
  /// True for one of `secrets:`, and for a bind at the place where Compose puts these.
  var isSecret: Bool {
    if let fileKind { return fileKind == .secret }
    return target.value == "/run/secrets" || target.value.hasPrefix("/run/secrets/")
  }

  /// The last part of the path of a bind on this host.
  fileprivate var hostName: String? {
    switch source {
    case .bind(let path, _): path.split(separator: "/").last.map(String.init)
    case .contents: target.value.split(separator: "/").last.map(String.init)
    case .volume, .anonymous, .anonymousOf, .tmpfs: nil
    }
  }
}

extension BoundContent {
  /// A file that the stack file itself holds.
  init(_ contents: StackFile.FileContents, at target: String) {
    let file = File(
      path: "", source: target, bytes: Array(contents.text.utf8), isExecutable: contents.mode & 0o111 != 0,
      mode: contents.mode == 0o444 ? nil : contents.mode)
    self.init(isFolder: false, files: [file])
  }
}

extension StackFile.Volume {
  /// The name that its claim has there.
  fileprivate var claimName: String { external == nil ? name.value : sharedName ?? name.value }
}

/// Base64 (RFC 4648, section 4), for the bytes that no text can hold.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var number = part.reduce(0) { $0 << 8 | UInt32($1) }
      number <<= 8 * UInt32(3 - part.count)
      for place in 0..<4 {
        let digit = Int(number >> (18 - 6 * UInt32(place)) & 63)
        result.append(place <= part.count ? alphabet[digit] : UInt8(ascii: "="))
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
