extension StackChecks {
  /// What builds refer to is declared, and no image is made from itself.
  func checkBuilds() {
    for service in stack.services {
      guard let build = service.build else { continue }
      for secret in build.secrets where stack.secrets[secret.source.value] == nil {
        diagnostics.add(
          Diagnostic(
            .undefinedFile, "the build of \"\(service.name.value)\" uses undefined secret \"\(secret.source.value)\"",
            at: secret.source.span, Suggestion.question(about: secret.source.value, among: stack.secrets.names),
            help: ["declare it: `secrets: {\(secret.source.value): {file: ./\(secret.source.value)}}`"]))
      }
      checkBuildNetwork(build, of: service)
      for context in build.contexts { checkContext(context, of: service) }
    }
  }

  private func checkBuildNetwork(_ build: StackFile.Build, of service: StackFile.Service) {
    guard let network = build.network, case .named(let name) = network.value, name != "default",
      stack.networks[name] == nil
    else { return }
    diagnostics.add(
      Diagnostic(
        .undefinedNetwork, "the build of \"\(service.name.value)\" joins undefined network \"\(name)\"",
        at: network.span, Suggestion.question(about: name, among: stack.networks.names + ["none", "host"]),
        help: ["write none, host, or a network under `networks:`"]))
  }

  private func checkContext(_ context: StackFile.Build.NamedContext, of service: StackFile.Service) {
    guard case .service(let name) = context.origin.value else { return }
    guard let other = stack.services[name] else {
      if serviceNames.contains(name) { return }
      diagnostics.add(
        Diagnostic(
          .undefinedService, "the build of \"\(service.name.value)\" uses undefined service \"\(name)\"",
          at: context.origin.span, Suggestion.question(about: name, among: stack.services.names)))
      return
    }
    guard needs(other, service.name.value, []) else { return }
    diagnostics.add(
      Diagnostic(
        .dependencyCycle, "the image of \"\(service.name.value)\" would be made from itself", at: context.origin.span,
        help: ["leave `service:\(name)` out in one of the two"]))
  }

  /// True if the image of a service is made from that of another.
  private func needs(_ service: StackFile.Service, _ name: String, _ seen: Set<String>) -> Bool {
    if service.name.value == name { return true }
    guard !seen.contains(service.name.value) else { return false }
    return service.build?.contexts.contains { context in
      guard case .service(let next) = context.origin.value, let other = stack.services[next] else { return false }
      return needs(other, name, seen.union([service.name.value]))
    } ?? false
  }
}
