extension StackChecks {
  /// Secrets and configs that are used are declared, and services that are linked or lend their volumes are there.
  func checkFiles() {
    for service in stack.services {
      for use in service.files { check(use, of: service) }
      for link in service.namedLinks where !link.isExternal {
        checkLinked(link.target, by: service, "is linked to")
      }
      for source in service.volumesFrom { checkLinked(source.service, by: service, "has the volumes of") }
    }
  }

  private func check(_ use: StackFile.FileUse, of service: StackFile.Service) {
    let declared = use.kind == .secret ? stack.secrets : stack.configs
    guard let source = declared[use.source.value] else {
      diagnostics.add(
        Diagnostic(
          .undefinedFile,
          "service \"\(service.name.value)\" uses undefined \(use.kind.rawValue) \"\(use.source.value)\"",
          at: use.source.span, Suggestion.question(about: use.source.value, among: declared.names),
          help: ["declare it: `\(use.kind.rawValue)s: {\(use.source.value): {file: ./\(use.source.value)}}`"]))
      return
    }
    guard case .file = source.origin, use.user != nil || use.group != nil || use.mode != nil else { return }
    diagnostics.add(
      Diagnostic(
        .ignoredKey, "uid, gid and mode have no effect: \"\(use.source.value)\" is a file of the host as it is",
        at: use.source.span))
  }

  private func checkLinked(_ name: Located<String>, by service: StackFile.Service, _ manner: String) {
    guard stack.services[name.value] == nil, !serviceNames.contains(name.value) else { return }
    diagnostics.add(
      Diagnostic(
        .badLinkedService, "service \"\(service.name.value)\" \(manner) \"\(name.value)\", which is no service",
        at: name.span, Suggestion.question(about: name.value, among: stack.services.names),
        help: ["name a service of this file; of another stack, name its container under `external_links:`"]))
  }
}
