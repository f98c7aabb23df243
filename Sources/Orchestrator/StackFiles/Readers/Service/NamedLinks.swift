extension Field {
  /// `links:` of a service, as Compose has it: `service` or `service:alias`.
  func namedLinks() -> [StackFile.NamedLink] {
    (items() ?? []).compactMap { item in
      guard item.node.scalar != nil else {
        item.report(
          .wrongShape, "\"links\" of a service is a list of names", "this is \(item.node.kind)",
          help: ["write `links: [db, cache:redis]`; a cable between two services is `links:` at the top of the file"])
        return nil
      }
      return item.namedLink()
    }
  }

  /// `external_links:`: `container` or `container:alias`.
  func externalLinks() -> [StackFile.NamedLink] {
    (items() ?? []).compactMap { item in
      var link = item.namedLink()
      link?.isExternal = true
      return link
    }
  }

  private func namedLink() -> StackFile.NamedLink? {
    guard let text = nonEmptyText() else { return nil }
    let length = text.value.utf8.count
    guard let colon = Array(text.value.utf8).firstIndex(of: UInt8(ascii: ":")) else {
      return StackFile.NamedLink(target: text)
    }
    guard let target = part(0..<colon).nonEmptyText(), let alias = part(colon + 1..<length).hostname() else {
      return nil
    }
    return StackFile.NamedLink(target: target, alias: alias)
  }

  /// `volumes_from:`: `service`, `service:ro`, `container:name` or `container:name:ro`.
  func volumesFrom() -> [StackFile.VolumesFrom] {
    (items() ?? []).compactMap { item in
      guard let text = item.nonEmptyText() else { return nil }
      var parts = text.value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      var isReadOnly = false
      if parts.count > 1, let last = parts.last, ["ro", "rw", "z", "Z"].contains(last) {
        isReadOnly = last == "ro"
        parts.removeLast()
      }
      if parts.count == 2, parts[0] == "container" {
        guard let service = context.containers[parts[1]] else {
          item.report(
            .notSupported,
            "\"volumes_from\" names the container \"\(Self.shortened(parts[1]))\", which is not of this stack",
            help: ["name a volume that both stacks have: `volumes: {data: {name: shared}}`"])
          return nil
        }
        return StackFile.VolumesFrom(service: Located(service, text.span), isReadOnly: isReadOnly)
      }
      guard parts.count == 1, !parts[0].isEmpty else {
        item.report(
          .badOption, "\"\(Self.shortened(text.value))\" does not say whose volumes",
          help: ["write a service, perhaps with :ro after it: [data, other:ro]"])
        return nil
      }
      return StackFile.VolumesFrom(service: Located(parts[0], text.span), isReadOnly: isReadOnly)
    }
  }

  /// `label_file:`, a path or a list of them.
  func labelFiles() -> [StackFile.Label] {
    textOrTexts().flatMap { path -> [StackFile.Label] in
      let location = Path.resolve(path.value, in: context.folder(of: path.span))
      guard let source = context.loader.load(path.value, from: location, namedAt: path.span) else { return [] }
      let reader = EnvironmentFileReader(
        source: source, variables: context.variables(at: path.span), diagnostics: context.diagnostics)
      return reader.assignments().map { StackFile.Label(name: $0.name, value: $0.value ?? "") }
    }
  }
}
