import Vocabulary

extension Field {
  /// An item of `volumes:`.
  func mount() -> StackFile.Mount? {
    if node.entries != nil { return longMount() }
    guard let text = nonEmptyText() else { return nil }
    let parts = text.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var offset = 0
    let places = parts.map { part in
      defer { offset += part.utf8.count + 1 }
      return node.span(of: offset..<offset + part.utf8.count)
    }
    guard parts.count <= 3 else {
      report(.badPath, "a volume has at most three parts: source:target:options")
      return nil
    }
    if parts.count == 1 {
      return target(Located(parts[0], places[0])).map {
        StackFile.Mount(source: .anonymous, target: $0, span: node.span)
      }
    }
    let options = parts.count == 3 ? mountOptions(parts[2], at: places[2]) : MountOptions()
    let source = mountSource(Located(parts[0], places[0]))
    guard let source, let options, let target = target(Located(parts[1], places[1])) else { return nil }
    return StackFile.Mount(
      source: source, target: target, isReadOnly: options.isReadOnly, takesOver: options.takesOver,
      followsHost: options.followsHost, span: node.span)
  }

  /// A path is a bind, anything else the name of a volume.
  private func mountSource(_ text: Located<String>) -> StackFile.Mount.Source? {
    guard !text.value.isEmpty else {
      report(.emptyText, "a volume's source is empty", help: ["for a volume without a name write the target alone"])
      return nil
    }
    if [".", "/", "~"].contains(where: { text.value.hasPrefix($0) }) {
      return hostPath(text).map { .bind(path: $0, creates: true) }
    }
    if NameRule.object.problem(with: text.value) != nil, text.value.contains("/") {
      report(
        .badPath, "\"\(Self.shortened(text.value))\" is neither a path nor the name of a volume",
        "did you mean \"./\(Self.shortened(text.value))\"?", at: text.span)
      return nil
    }
    return checkName(text, .object, of: "volume") ? .volume(text.value) : nil
  }

  private struct MountOptions {
    var isReadOnly = false
    var takesOver = true
    var followsHost = false
  }

  private func mountOptions(_ text: String, at span: Span) -> MountOptions? {
    var options = MountOptions()
    // SELinux labels (z, Z) and what Docker Desktop for Mac knew (cached, …) have nothing to act on here. Mounts are
    // recursive, and programs can be run from them, in any case. Owners (U) are Podman's.
    let known = [
      "ro", "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy", "copy", "exec", "dev", "suid", "rbind",
      "bind",
      "U", "private", "rprivate", "slave", "rslave", "shared", "rshared",
    ]
    for option in text.split(separator: ",").map(String.init) {
      switch option {
      case "ro": options.isReadOnly = true
      case "nocopy": options.takesOver = false
      case "slave", "rslave": options.followsHost = true
      case "shared", "rshared":
        options.followsHost = true
        reportOneWay(option, at: span)
      case "U":
        report(
          .ignoredKey, "\"U\" has no effect: files keep their owners, as a service sees them", at: span)
      default:
        guard known.contains(option) else {
          report(
            .badOption, "a volume has no option \"\(Self.shortened(option))\"",
            Suggestion.question(about: option, among: known), at: span,
            help: ["it can have: ro, rw, nocopy, rslave, z, Z"])
          return nil
        }
      }
    }
    return options
  }

  fileprivate func reportOneWay(_ option: String, at span: Span) {
    report(
      .ignoredKey, "\"\(option)\" works one way: mounts of the host appear inside, and none of the service's outside",
      at: span)
  }

  // MARK: - The long form

  private func longMount() -> StackFile.Mount? {
    var draft = LongMount()
    LongMount.keys.read(self, into: &draft)
    guard let target = draft.target else {
      if node["target"] == nil { report(.missingKey, "a mount needs a \"target\"") }
      return nil
    }
    guard let kind = draft.kind else {
      if node["type"] == nil {
        report(.missingKey, "a mount needs a \"type\"", help: ["it can be: bind, volume, tmpfs"])
      }
      return nil
    }
    guard let source = longSource(kind, draft) else { return nil }
    return StackFile.Mount(
      source: source, target: target, isReadOnly: draft.isReadOnly, takesOver: draft.takesOver,
      subpath: draft.subpath, followsHost: draft.followsHost, span: node.span)
  }

  private func longSource(_ kind: LongMount.Kind, _ draft: LongMount) -> StackFile.Mount.Source? {
    switch kind {
    case .bind:
      guard let source = draft.source else {
        report(.missingKey, "a bind needs a \"source\", a path of the host")
        return nil
      }
      return hostPath(source).map { .bind(path: $0, creates: draft.createsHostPath) }
    case .volume:
      guard let source = draft.source, !source.value.isEmpty else { return .anonymous }
      return checkName(source, .object, of: "volume") ? .volume(source.value) : nil
    case .tmpfs:
      if let source = draft.source {
        report(.conflictingKeys, "a tmpfs has no \"source\"", at: source.span)
        return nil
      }
      return .tmpfs(draft.tmpfs)
    }
  }

  /// An item of `tmpfs:`: a path, then options after a colon.
  func tmpfs() -> StackFile.Mount? {
    guard !isEmpty, let text = nonEmptyText() else { return nil }
    let parts = text.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let target = target(Located(parts[0], node.span(of: 0..<parts[0].utf8.count))) else { return nil }
    var mount = StackFile.Mount(source: .anonymous, target: target, span: node.span)
    var tmpfs = StackFile.Tmpfs()
    var offset = parts[0].utf8.count + 1
    for option in parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : [] {
      let place = node.span(of: offset..<offset + option.utf8.count)
      guard readTmpfsOption(String(option), at: place, &tmpfs, &mount.isReadOnly) else { return nil }
      offset += option.utf8.count + 1
    }
    mount.source = .tmpfs(tmpfs)
    return mount
  }

  /// Options of tmpfs(5) and mount(8).
  fileprivate func readTmpfsOption(
    _ option: String, at span: Span, _ tmpfs: inout StackFile.Tmpfs, _ isReadOnly: inout Bool
  ) -> Bool {
    let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let value = parts.count == 2 ? parts[1] : ""
    switch (parts[0], parts.count) {
    case ("ro", 1): isReadOnly = true
    case ("rw", 1): isReadOnly = false
    case ("exec", 1): tmpfs.isExecutable = true
    case ("noexec", 1): tmpfs.isExecutable = false
    case ("noatime", 1): tmpfs.keepsAccessTimes = true
    case ("nosuid", 1), ("nodev", 1), ("relatime", 1), ("strictatime", 1), ("nodiratime", 1), ("", 1): break
    case ("nr_inodes", 2), ("nr_blocks", 2), ("huge", 2): tmpfs.options.append(option)
    case ("size", 2) where value.hasSuffix("%") && UInt8(value.dropLast()) != nil: tmpfs.options.append(option)
    case ("size", 2):
      guard let size = ByteSize.parse(value) else {
        reportSize(value, at: span)
        return false
      }
      tmpfs.size = size
    case ("mode", 2):
      guard let mode = UInt16(value, radix: 8), mode <= 0o7777 else {
        report(.badOption, "\"\(option)\": a mode is octal, 0 to 7777", at: span)
        return false
      }
      tmpfs.mode = mode
    case ("uid", 2), ("gid", 2):
      guard let number = UInt32(value), number < .max else {
        report(.badOption, "\"\(option)\": an id is a number, 0 to 4294967294", at: span)
        return false
      }
      if parts[0] == "uid" { tmpfs.user = number } else { tmpfs.group = number }
    default:
      let known = [
        "size", "mode", "uid", "gid", "ro", "rw", "exec", "noexec", "nosuid", "nodev", "noatime", "nr_inodes",
      ]
      report(
        .badOption, "a tmpfs has no option \"\(Self.shortened(option))\"",
        Suggestion.question(about: parts[0], among: known), at: span,
        help: ["it can have: \(known.joined(separator: ", "))"])
      return false
    }
    return true
  }
}

/// The long form of a mount.
private struct LongMount {
  enum Kind: String, CaseIterable { case bind, volume, tmpfs }
  enum Label: String, CaseIterable { case shared = "z", own = "Z" }
  enum Propagation: String, CaseIterable { case `private`, rprivate, slave, rslave, shared, rshared }
  enum Recursion: String, CaseIterable { case enabled, disabled, writable, readonly }

  var kind: Kind?
  var source: Located<String>?
  var target: Located<String>?
  var isReadOnly = false
  var createsHostPath = true
  var takesOver = true
  var subpath: String?
  var followsHost = false
  var tmpfs = StackFile.Tmpfs()

  static let keys = KeyTable<LongMount>(
    "mount",
    [
      .read("type", "bind, volume or tmpfs") { field, mount in
        guard field.context.probe == nil, field.node.scalar?.text == "image" else {
          mount.kind = field.choice(Kind.self)?.value
          return
        }
        field.report(
          .notSupported, "a mount of an image is not supported",
          help: ["have a build copy its files: `COPY --from=IMAGE /path /path`"])
      },
      .read("source", "a path of the host, or a volume's name") { field, mount in mount.source = field.text() },
      .read("target", "the path inside the service") { field, mount in
        mount.target = field.nonEmptyText().flatMap(field.target)
      },
      .read("read_only", "true: nothing can be written there") { field, mount in
        mount.isReadOnly = field.boolean() ?? false
      },
      .read("bind", "details of a bind") { field, mount in bind.read(field, into: &mount) },
      .read("volume", "details of a volume") { field, mount in volume.read(field, into: &mount) },
      .read("tmpfs", "details of a tmpfs") { field, mount in tmpfs.read(field, into: &mount) },
      .ignored("consistency", "it is for virtual machines"),
      .notSupported("image", "copy the folder to the host and bind it"),
    ])

  private static let bind = KeyTable<LongMount>(
    "bind",
    [
      .read("create_host_path", "false: the folder must be there already") { field, mount in
        mount.createsHostPath = field.boolean() ?? true
      },
      .read("propagation", "rslave: mounts of the host below the source appear inside; rprivate") { field, mount in
        guard let choice = field.choice(Propagation.self)?.value else { return }
        mount.followsHost = ![.private, .rprivate].contains(choice)
        if [.shared, .rshared].contains(choice) { field.reportOneWay(choice.rawValue, at: field.span) }
      }.optional,
      .read("selinux", "z or Z") { field, _ in _ = field.choice(Label.self) },
      .read("recursive", "enabled: what is mounted below the source is there too") { field, _ in
        guard let choice = field.choice(Recursion.self)?.value, choice != .enabled else { return }
        field.report(.ignoredKey, "\"recursive\" has no effect: binds are recursive", at: field.key)
      },
    ])

  private static let volume = KeyTable<LongMount>(
    "volume",
    [
      .read("nocopy", "true: an empty volume takes over nothing of the root's folder") { field, mount in
        mount.takesOver = !(field.boolean() ?? false)
      },
      .read("subpath", "a folder of the volume that is mounted in place of the whole") { field, mount in
        mount.subpath = field.nonEmptyText().flatMap(field.subpath)
      }.optional,
      .ignored("labels", "a volume has those of the place where it is declared"),
    ])

  private static let tmpfs = KeyTable<LongMount>(
    "tmpfs",
    [
      .read("size", "in bytes, or with a unit") { field, mount in mount.tmpfs.size = field.size() },
      .read("mode", "permission bits, as an octal number") { field, mount in
        if let mode = field.permissions() { mount.tmpfs.mode = mode }
      },
      .read("uid", "the owner of its root, as a number") { field, mount in
        mount.tmpfs.user = field.integer(in: 0...4_294_967_294).map { UInt32($0.value) }
      },
      .read("gid", "the group of its root, as a number") { field, mount in
        mount.tmpfs.group = field.integer(in: 0...4_294_967_294).map { UInt32($0.value) }
      },
      .read("exec", "true: programs can be run from it") { field, mount in
        mount.tmpfs.isExecutable = field.boolean() ?? false
      },
      .read("options", "further options of tmpfs(5): [nr_inodes=10k, noatime]") { field, mount in
        for text in field.texts() {
          _ = field.readTmpfsOption(text.value, at: text.span, &mount.tmpfs, &mount.isReadOnly)
        }
      },
    ])
}
