import Vocabulary

/// Reads a merged document into the model, fills in what the file leaves to defaults, and has it checked.
struct StackReader {
  let root: Field
  /// Absolute path of the first file.
  let location: String
  /// The name that the caller gives the stack.
  let givenName: String?

  private var diagnostics: DiagnosticList { root.context.diagnostics }

  /// Nil when there is nothing to read. With errors, what could be read: the caller must look at the diagnostics.
  func read() -> StackFile? {
    guard root.node.entries != nil else {
      root.report(
        .wrongShape, "a stack file is a mapping", "this is \(root.node.kind)", help: ["it has at least `services:`"])
      return nil
    }
    var draft = StackDraft()
    StackKeys.table.read(root, into: &draft)
    checkServices(draft)
    var stack = StackFile(
      name: name(draft), folder: root.context.folder, networks: networks(&draft), volumes: draft.volumes,
      services: draft.services, policies: draft.policies, expectations: draft.expectations, links: draft.links)
    stack.verification = draft.verification
    stack.names = draft.names
    StackChecks(stack: stack, serviceNames: draft.serviceNames, diagnostics: diagnostics).run()
    return stack
  }

  private func checkServices(_ draft: StackDraft) {
    guard draft.serviceNames.isEmpty else { return }
    let key = draft.servicesKey
    // A mapping that is none has been reported as that.
    if key != nil, let node = root.node["services"], node.entries == nil, !node.isNull { return }
    let place = key ?? Span(root.node.span.file, root.node.span.range.lowerBound..<root.node.span.range.lowerBound)
    root.report(
      .noServices, "the stack has no services", at: place, help: ["write `services:`, and under it a name for each"])
  }

  /// Services that name no network share one.
  private func networks(_ draft: inout StackDraft) -> NamedList<StackFile.Network> {
    var networks = draft.networks
    for var service in Array(draft.services) {
      if service.attachments.isEmpty, service.networkMode == nil, service.switching == nil {
        service.attachments = [StackFile.Attachment(network: Located("default", service.name.span))]
        draft.services[service.name.value] = service
      }
      guard networks["default"] == nil,
        let attachment = service.attachments.first(where: { $0.network.value == "default" })
      else { continue }
      var network = StackFile.Network(name: attachment.network)
      network.isImplicit = true
      networks.append(network)
    }
    return networks
  }

  // MARK: - The name

  /// The caller's, the file's `name:`, or what the path says: `web.stack` is web, `web/compose.yaml` too.
  private func name(_ draft: StackDraft) -> Located<String> {
    let start = Span(root.node.span.file, 0..<0)
    if let givenName {
      if let problem = NameRule.stack.problem(with: givenName) {
        diagnostics.add(
          Diagnostic(
            .badName, "\"\(Field.shortened(givenName))\" cannot name a stack", file: start.file.path,
            help: ["a stack's name \(problem.words)"]))
      }
      return Located(givenName, start)
    }
    if let name = draft.name { return name }
    let text = Self.name(ofFileAt: location)
    // A `name:` that is wrong has been reported; one more error about the path would not help.
    if text.isEmpty, root.node["name"] == nil {
      diagnostics.add(
        Diagnostic(
          .badName, "the path \"\(Field.shortened(location))\" gives the stack no name", file: start.file.path,
          help: ["write `name:` at the top of the file"]))
    }
    return Located(text.isEmpty ? "stack" : text, start)
  }

  /// The name that a file gives its stack by its path; empty when there is none in it.
  static func name(ofFileAt location: String) -> String {
    let (folder, file) = Path.split(location)
    let stem = file.split(separator: ".").first.map(String.init) ?? ""
    let isGeneric = ["compose", "docker-compose", "stack", "<stdin>"].contains(stem)
    return normalized(isGeneric ? Path.split(folder).name : stem)
  }

  /// As Compose makes a project's name of a folder's: small letters, and only the characters that a name may have.
  private static func normalized(_ text: String) -> String {
    let letters = text.lowercased().unicodeScalars.filter { scalar in
      switch scalar {
      case "a"..."z", "0"..."9", "_", "-": true
      default: false
      }
    }
    return String(String.UnicodeScalarView(letters.drop { $0 == "_" || $0 == "-" }.prefix(NameRule.maximumLength)))
  }
}
