import Vocabulary

extension StackChecks {
  /// `policies:` and `expect:`: what they name is there, and each rule of the policies decides something.
  func checkRules() {
    for rule in stack.policies + stack.expectations {
      let hasErrors = (rule.sources + rule.destinations).count(where: { !check($0) }) > 0
      if !hasErrors { checkUse(of: rule) }
    }
    reportShadowed()
  }

  // MARK: - Names

  /// False when what a peer names is not there, and reported.
  private func check(_ peer: Located<PolicyPeer>) -> Bool {
    switch peer.value {
    case .service(let name) where stack.services[name] == nil && !isReplica(name):
      // One that could not be read has been reported.
      if serviceNames.contains(name) { return true }
      reportUndefined("service", name, at: peer.span, among: stack.services.map(\.name))
      return false
    case .network(let name) where stack.networks[name] == nil:
      reportUndefined("network", name, at: peer.span, among: stack.networks.filter { !$0.isImplicit }.map(\.name))
      return false
    case .pattern, .label, .network:
      if stack.services.count == serviceNames.count, !stack.services.contains(where: { peer.value.concerns($0) }) {
        reportIdle(peer)
      }
    case .host, .internet, .any:
      if let service = stack.services[peer.value.description] {
        diagnostics.add(
          Diagnostic(
            .ambiguousPeer, "in a rule \"\(peer.value)\" is not the service of that name", at: peer.span,
            also: [Diagnostic.Label(service.name.span, "the service is named here")],
            help: ["give the service another name, or a label and write label:KEY=VALUE"]))
      }
    case .service, .range: break
    }
    return true
  }

  /// `web-2` where `web` has two replicas.
  private func isReplica(_ name: String) -> Bool {
    guard let dash = name.lastIndex(of: "-"), let number = Int(name[name.index(after: dash)...]),
      let service = stack.services[String(name[..<dash])]
    else { return false }
    return service.scale.value != 1 && (1...max(1, service.scale.value)).contains(number)
  }

  private func reportUndefined(_ kind: String, _ name: String, at span: Span, among declared: [Located<String>]) {
    guard !diagnostics.isFull else { return }
    let meant = Suggestion.closest(to: name, among: declared.lazy.map(\.value))
    let declaration = declared.first { $0.value == meant }
    diagnostics.add(
      Diagnostic(
        .undefinedPeer, "a rule names undefined \(kind) \"\(name)\"", at: span,
        meant.map { "did you mean \"\($0)\"?" } ?? "",
        also: declaration.map { [Diagnostic.Label($0.span, "\"\($0.value)\" is declared here")] } ?? [],
        help: meant == nil && !declared.isEmpty
          ? ["the \(kind)s are: \(declared.prefix(20).map(\.value).joined(separator: ", "))"] : []))
  }

  private func reportIdle(_ peer: Located<PolicyPeer>) {
    guard !diagnostics.isFull else { return }
    let message: String
    var question = ""
    switch peer.value {
    case .pattern(let pattern): message = "no service's name is like \"\(pattern)\""
    case .network(let name): message = "no service joins the network \"\(name)\""
    default:
      message = "no service has the label \"\(peer.value.description.dropFirst("label:".count))\""
      let labels = stack.services.flatMap { service in service.labels.map { "label:\($0.name.value)=\($0.value)" } }
      question = Suggestion.question(about: peer.value.description, among: labels)
    }
    diagnostics.add(Diagnostic(.idlePeer, message, at: peer.span, question))
  }

  /// A rule between the host and the internet, say, is about what stack has no hand in.
  private func checkUse(of rule: StackFile.Rule) {
    func isOutside(_ peer: Located<PolicyPeer>) -> Bool { peer.value == .host || peer.value == .internet }
    guard rule.sources.allSatisfy(isOutside), rule.destinations.allSatisfy(isOutside) else { return }
    diagnostics.add(
      Diagnostic(
        .idleRule, "no service takes part in \"\(Field.shortened(rule.text.value))\"", at: rule.text.span,
        help: ["stack decides on what enters and leaves its own networks"]))
  }

  // MARK: - Shadows

  /// Rules that one before them leaves nothing to decide.
  private func reportShadowed() {
    var index = RuleCoverage(stack: stack)
    for rule in stack.policies {
      guard let earlier = index.add(rule) else { continue }
      let isSame = earlier.action == rule.action
      diagnostics.add(
        Diagnostic(
          .shadowedRule, "this rule decides nothing: one before it is about all of that", at: rule.text.span,
          isSame ? "" : "never \(rule.action == .allow ? "allowed" : "denied")",
          also: [
            Diagnostic.Label(
              earlier.text.span, "all of that is \(earlier.action == .allow ? "allowed" : "denied") here")
          ],
          help: isSame ? ["leave it out"] : ["put it before that one: the first rule that is about a packet decides"]))
    }
  }
}

extension PolicyPeer {
  /// True if it stands for a service of a file, or for a replica of it.
  func concerns(_ service: StackFile.Service) -> Bool {
    let name = service.name.value
    switch self {
    case .service(let other): return other == name
    case .pattern(let text):
      let pattern = NamePattern(text)
      if pattern.matches(name) { return true }
      return service.scale.value > 1 && (1...service.scale.value).contains { pattern.matches("\(name)-\($0)") }
    case .network(let other): return service.attachments.contains { $0.network.value == other }
    case .label(let key, let value):
      return service.labels.last { $0.name.value == key }?.value == value
    case .any: return true
    case .host, .internet, .range: return false
    }
  }
}
