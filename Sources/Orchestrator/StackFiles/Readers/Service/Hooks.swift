/// An item of `post_start:` or `pre_stop:` as it is read.
private struct HookDraft {
  var command: Located<[String]>?
  var user: Located<StackFile.User>?
  var workingDirectory: Located<String>?
  var environment: Field?
  var isPrivileged = false

  static let keys = KeyTable<HookDraft>(
    "hook",
    [
      .read("command", "the program and its arguments") { field, draft in draft.command = field.command() },
      .read("user", "user[:group], names or numbers; the service's") { field, draft in draft.user = field.user() },
      .read("working_dir", "the folder it starts in; the service's") { field, draft in
        draft.workingDirectory = field.nonEmptyText().flatMap { field.servicePath($0, what: "\"working_dir\"") }
      },
      .read("environment", "variables beside the service's") { field, draft in
        draft.environment = field.later { _ = $0.assignments() }
      },
      .read("privileged", "true: it may do all that the host's root may") { field, draft in
        draft.isPrivileged = field.boolean() ?? false
      },
    ])
}

extension Field {
  /// `post_start:` or `pre_stop:`
  func hooks() -> [StackFile.Hook] { (items() ?? []).compactMap { $0.hook() } }

  /// One command of a hook.
  func hook() -> StackFile.Hook? {
    var draft = HookDraft()
    HookDraft.keys.read(self, into: &draft)
    guard let command = draft.command else {
      if node.entries != nil, node["command"] == nil {
        report(.missingKey, "a hook needs a \"command\"", help: ["write `- command: [ip, route]`"])
      }
      return nil
    }
    guard command.value.first?.isEmpty == false else {
      report(.nothingToRun, "a hook has an empty command", at: command.span)
      return nil
    }
    var environment = EnvironmentBuilder()
    draft.environment?.readEnvironment(into: &environment)
    return StackFile.Hook(
      command: command, user: draft.user, workingDirectory: draft.workingDirectory,
      environment: environment.variables, isPrivileged: draft.isPrivileged)
  }
}
