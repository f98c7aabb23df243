/// A rule of `develop: watch:` as it is read.
private struct WatchDraft {
  var path: Located<String>?
  var action: StackFile.WatchRule.Action?
  var target: Located<String>?
  var ignored: [String] = []
  var included: [String] = []
  var syncsFirst = false
  var hook: StackFile.Hook?

  static let keys = KeyTable<WatchDraft>(
    "watch",
    [
      .read("path", "the file or folder of the host that is watched") { field, draft in
        draft.path = field.nonEmptyText().flatMap { path in field.hostPath(path).map { Located($0, path.span) } }
      },
      .read("action", "sync, sync+restart, sync+exec, restart or rebuild") { field, draft in
        draft.action = field.choice(StackFile.WatchRule.Action.self)?.value
      },
      .read("target", "the path inside the service that files are copied to") { field, draft in
        draft.target = field.nonEmptyText().flatMap { field.servicePath($0, what: "\"target\"") }
      },
      .read("ignore", "patterns of files that do not count") { field, draft in
        draft.ignored = field.textOrTexts().map(\.value)
      },
      .read("include", "patterns of files that count; all") { field, draft in
        draft.included = field.textOrTexts().map(\.value)
      },
      .read("initial_sync", "true: files are copied when watching begins") { field, draft in
        draft.syncsFirst = field.boolean() ?? false
      },
      .read("exec", "the command that runs in it after files were copied") { field, draft in draft.hook = field.hook()
      },
    ])
}

extension Field {
  /// `develop:`
  func watchRules() -> [StackFile.WatchRule] {
    var rules: [StackFile.WatchRule] = []
    Self.developKeys.read(self, into: &rules)
    return rules
  }

  private static let developKeys = KeyTable<[StackFile.WatchRule]>(
    "develop",
    [
      .read("watch", "what is done when files of the host change") { field, rules in
        rules = (field.items() ?? []).compactMap { $0.watchRule() }
      }
    ])

  private func watchRule() -> StackFile.WatchRule? {
    var draft = WatchDraft()
    WatchDraft.keys.read(self, into: &draft)
    for key in ["path", "action"] where node.entries != nil && node[key] == nil {
      report(.missingKey, "a watch needs \"\(key)\"", help: ["write `- {path: ./src, action: sync, target: /app}`"])
    }
    guard let path = draft.path, let action = draft.action else { return nil }
    if [.sync, .syncAndRestart, .syncAndExecute].contains(action), draft.target == nil, node["target"] == nil {
      report(.missingKey, "a watch that copies files needs a \"target\"", help: ["write `target: /app`"])
      return nil
    }
    var rule = StackFile.WatchRule(path: path, action: action)
    (rule.target, rule.ignored, rule.included) = (draft.target?.value, draft.ignored, draft.included)
    (rule.syncsFirst, rule.hook) = (draft.syncsFirst, draft.hook)
    return rule
  }
}
