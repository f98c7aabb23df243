extension StackFile.FileSource {
  var output: OutputValue {
    switch origin {
    case .file(let path): .mapping(["file": .escaped(path)])
    case .text(let text): .mapping(["content": .escaped(text)])
    case .variable(let name, _): .mapping(["environment": .text(name)])
    case nil: .mapping([])
    }
  }
}

extension StackFile.Service {
  func output(_ uses: [StackFile.FileUse], _ kind: StackFile.FileUse.Kind) -> OutputValue? {
    let uses = uses.filter { $0.kind == kind }
    return uses.isEmpty
      ? nil
      : .list(
        uses.map { use in
          .mapping([
            "source": .text(use.source.value), "target": .escaped(use.target),
            "uid": use.user.map { .text("\($0)") }, "gid": use.group.map { .text("\($0)") },
            "mode": use.mode.map { .text("0" + String($0, radix: 8)) },
          ])
        })
  }

  func output(_ links: [StackFile.NamedLink]) -> OutputValue? {
    links.isEmpty
      ? nil : .texts(links.map { link in link.target.value + (link.alias.map { ":\($0.value)" } ?? "") })
  }
}

extension StackFile.WatchRule {
  var output: OutputValue {
    .mapping([
      "path": .escaped(path.value), "action": .text(action.rawValue), "target": target.map(OutputValue.escaped),
      "ignore": ignored.isEmpty ? nil : .list(ignored.map(OutputValue.escaped)),
      "include": included.isEmpty ? nil : .list(included.map(OutputValue.escaped)),
      "initial_sync": syncsFirst ? .bool(true) : nil, "exec": hook?.output,
    ])
  }
}
