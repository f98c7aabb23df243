/// The keys of a secret, and of a config.
enum FileSourceKeys {
  static let secrets = KeyTable<StackFile.FileSource>("secret", keys)
  static let configs = KeyTable<StackFile.FileSource>("config", keys)

  private typealias Key = KeyTable<StackFile.FileSource>.Key
  private static let noStore = "there is no store of secrets and configs: write `file:`, `environment:` or `content:`"

  private static let keys: [Key] = [
    .read("file", "the file of the host that has the contents") { field, source in
      guard let path = field.nonEmptyText().flatMap(field.hostPath) else { return }
      field.set(.file(path), &source)
    },
    .read("environment", "the variable that has the contents") { field, source in
      guard let name = field.nonEmptyText() else { return }
      guard let value = field.variables[name.value] else {
        field.report(
          .missingVariable, "the variable \(name.value) is not set, and \"\(source.name.value)\" has its value",
          Suggestion.question(about: name.value, among: field.variables.names),
          help: ["set it in the environment or in .env"])
        return
      }
      field.set(.variable(name.value, value: value), &source)
    },
    .read("content", "the contents themselves") { field, source in
      if let text = field.text() { field.set(.text(text.value), &source) }
    },
    .ignored("name", "it is for a store of secrets and configs"),
    .read("labels", "for people and programs") { field, source in source.labels = field.labels() },
    .read("external", "false: \(noStore)") { field, source in
      guard field.node.entries != nil || field.boolean() == true else { return }
      field.report(.notSupported, "\"\(source.name.value)\" cannot be external", at: field.key, help: [noStore])
    },
    .notSupported("driver", noStore),
    .notSupported("driver_opts", noStore),
    .notSupported("template_driver", "write the contents as they are to be; variables of the file are replaced"),
  ]
}

extension Field {
  fileprivate func set(_ origin: StackFile.FileSource.Origin, _ source: inout StackFile.FileSource) {
    if source.origin != nil {
      report(
        .conflictingKeys, "\"\(source.name.value)\" has its contents from two places", at: key,
        help: ["write one of `file:`, `environment:` and `content:`"])
    }
    source.origin = origin
  }

  /// `secrets:` or `configs:` at the top of the file.
  func fileSources(_ kind: StackFile.FileUse.Kind) -> NamedList<StackFile.FileSource> {
    var sources = NamedList<StackFile.FileSource>()
    for entry in entries() ?? [] {
      checkName(entry.key, .object, of: kind.rawValue)
      var source = StackFile.FileSource(name: entry.key)
      let field = self.entry(entry)
      (kind == .secret ? FileSourceKeys.secrets : FileSourceKeys.configs).read(field, into: &source)
      let names = ["file", "environment", "content", "external", "driver", "template_driver"]
      if source.origin == nil, !names.contains(where: { field.node[$0] != nil }) {
        field.report(
          .missingKey, "\(kind.rawValue) \"\(entry.key.value)\" has no contents",
          help: ["write `file: ./path`, `environment: NAME` or `content: text`"])
      }
      sources.append(source)
    }
    return sources
  }

  /// `secrets:` or `configs:` of a service.
  func fileUses(_ kind: StackFile.FileUse.Kind) -> [StackFile.FileUse] {
    (items() ?? []).compactMap { item in
      guard item.node.entries != nil else {
        return item.nonEmptyText().map { StackFile.FileUse(kind, $0) }
      }
      var draft = FileUseDraft()
      FileUseDraft.keys.read(item, into: &draft)
      guard let source = draft.source else {
        if item.node["source"] == nil { item.report(.missingKey, "a \(kind.rawValue) needs a \"source\"") }
        return nil
      }
      var use = StackFile.FileUse(kind, source)
      if let target = draft.target {
        use.target = Path.resolve(target.value, in: kind.folder)
        guard use.target != "/" else {
          item.report(.badPath, "nothing can be mounted on \"/\"", at: target.span)
          return nil
        }
      }
      (use.user, use.group, use.mode) = (draft.user, draft.group, draft.mode)
      return use
    }
  }

  /// Permission bits. YAML 1.1, which Compose reads, takes 0440 for octal; digits without the zero are decimal in both.
  func permissions() -> UInt16? {
    guard let text = nonEmptyText()?.value else { return nil }
    let digits = text.hasPrefix("0o") ? String(text.dropFirst(2)) : text
    guard let mode = UInt16(digits, radix: text.hasPrefix("0") ? 8 : 10), mode <= 0o7777 else {
      report(.numberOutOfRange, "\"mode\": \"\(text)\" is not a mode", help: ["write it in octal: 0o1777"])
      return nil
    }
    return mode
  }

  fileprivate func numericID() -> UInt32? {
    integer(in: 0...4_294_967_294).map { UInt32($0.value) }
  }
}

/// The long form of a service's use of a secret or a config.
private struct FileUseDraft {
  var source: Located<String>?
  var target: Located<String>?
  var user: UInt32?
  var group: UInt32?
  var mode: UInt16?

  static let keys = KeyTable<FileUseDraft>(
    "use of a secret or config",
    [
      .read("source", "its name at the top of the file") { field, use in use.source = field.nonEmptyText() },
      .read("target", "the path inside; /run/secrets/NAME for a secret, /NAME for a config") { field, use in
        use.target = field.nonEmptyText()
      }.optional,
      .read("uid", "the owner, as a number; 0") { field, use in use.user = field.numericID() }.optional,
      .read("gid", "the group, as a number; 0") { field, use in use.group = field.numericID() }.optional,
      .read("mode", "permission bits; 0444") { field, use in use.mode = field.permissions() }.optional,
    ])
}
