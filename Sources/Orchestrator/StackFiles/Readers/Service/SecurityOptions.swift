import Isolation

extension Field {
  /// `cap_add:` and `cap_drop:`. `ALL` is nil.
  func capabilities() -> [Capability?] {
    var found: [Capability?] = []
    for text in texts() {
      if ["ALL", "CAP_ALL"].contains(text.value.uppercased()) {
        found.append(nil)
      } else if let capability = Capability(name: text.value) {
        found.append(capability)
      } else {
        let wanted = text.value.uppercased()
        let names = Capability.allCases.map(\.name) + ["ALL"]
        report(
          .badChoice, "there is no capability \"\(Self.shortened(text.value))\"",
          Suggestion.question(about: wanted.hasPrefix("CAP_") ? String(wanted.dropFirst(4)) : wanted, among: names),
          at: text.span, help: ["write one of capabilities(7): NET_ADMIN, SYS_TIME, or ALL"])
      }
    }
    return found
  }

  /// `security_opt:`, each `name:value` or, as Docker once had it, `name=value`.
  func readSecurityOptions(into draft: inout ServiceDraft) {
    for text in texts() {
      let parts = text.value.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == ":" || $0 == "=" }
      let value = parts.count == 2 ? String(parts[1]) : nil
      switch (String(parts[0]), value) {
      case ("no-new-privileges", nil), ("no-new-privileges", "true"): draft.service.forbidsNewPrivileges = true
      case ("no-new-privileges", "false"): draft.service.forbidsNewPrivileges = false
      case ("no-new-privileges", .some):
        report(
          .badOption, "\"no-new-privileges\" is true or false", at: text.span, help: ["write no-new-privileges:true"])
      case ("seccomp", "unconfined"), ("seccomp", "builtin"):
        draft.service.isFiltered = value == "builtin"
        (draft.service.seccompProfile, draft.service.seccompPath) = (nil, nil)
      case ("seccomp", .some(let path)) where !path.isEmpty:
        draft.service.isFiltered = true
        draft.service.seccompProfile = seccompProfile(at: path, named: text.span)
        draft.service.seccompPath = Path.resolve(path, in: context.folder(of: text.span))
      case ("apparmor", _), ("label", _), ("systempaths", _), ("writable-cgroups", _):
        report(
          .ignoredKey,
          "\"\(parts[0])\" has no effect: services are confined by namespaces, capabilities and seccomp", at: text.span)
      case (let name, _):
        report(
          .badOption, "\"security_opt\" has no option \"\(Self.shortened(name))\"",
          Suggestion.question(about: name, among: Self.securityOptions), at: text.span,
          help: ["it can be: \(Self.securityOptions.joined(separator: ", "))"])
      }
    }
  }

  private static let securityOptions = ["no-new-privileges", "seccomp"]
}
