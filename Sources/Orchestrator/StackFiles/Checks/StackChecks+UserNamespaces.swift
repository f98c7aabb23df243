import Isolation

extension StackChecks {
  /// A user namespace that was asked for must be possible.
  func checkUserNamespaces() {
    for service in stack.services {
      guard let mode = service.userNamespace, mode.value == .private, !diagnostics.isFull else { continue }
      if service.isPrivileged { reportPrivileged(service, mode) }
      reportUsers(service, mode)
    }
  }

  private func reportPrivileged(_ service: StackFile.Service, _ mode: Located<StackFile.UserNamespaceMode>) {
    var diagnostic = Diagnostic(
      .privilegedInUserNamespace,
      "service \"\(service.name.value)\" is privileged, and in a user namespace nobody is", at: mode.span)
    diagnostic.help = ["leave out one of the two; for single rights write `cap_add: [NET_ADMIN]`"]
    diagnostics.add(diagnostic)
  }

  private func reportUsers(_ service: StackFile.Service, _ mode: Located<StackFile.UserNamespaceMode>) {
    guard let user = service.user else { return }
    for id in [user.value.user, user.value.group] {
      guard let id, let number = UInt64(id), number >= UInt64(IdentityRange.count) else { continue }
      var diagnostic = Diagnostic(
        .userBeyondNamespace, "a user namespace has no \(id): its ids end at \(IdentityRange.count - 1)",
        at: user.span
      )
      diagnostic.secondary = [Diagnostic.Label(mode.span, "asked for here")]
      diagnostic.help = ["choose a smaller id, or write `userns_mode: host`"]
      diagnostics.add(diagnostic)
    }
  }
}
