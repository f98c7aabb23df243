import ImageReference
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
    root.context.containers = containers
    var draft = StackDraft()
    StackKeys.table.read(root, into: &draft)
    checkServices(draft)
    var stack = StackFile(
      name: name(draft), folder: root.context.folder, networks: networks(&draft), volumes: draft.volumes,
      services: draft.services, policies: draft.policies, expectations: draft.expectations, links: draft.links)
    stack.verification = draft.verification
    stack.names = draft.names
    (stack.secrets, stack.configs) = (draft.secrets, draft.configs)
    nameBuiltImages(of: &stack)
    StackChecks(stack: stack, serviceNames: draft.serviceNames, diagnostics: diagnostics).run()
    return stack
  }

  /// Images that are built and have no name get the stack's and the service's, as Compose has it.
  private func nameBuiltImages(of stack: inout StackFile) {
    for var service in Array(stack.services) where service.build != nil && service.rootfs.value == .host {
      let name = StackFile.imageName(ofService: service.name.value, in: stack.name.value)
      do {
        service.rootfs = Located(.image(try ImageSource(name)), service.name.span)
        stack.services[service.name.value] = service
      } catch {
        root.report(
          .badImage, "\(error)", at: service.name.span, help: ["give the image a name: `image:` beside `build:`"])
      }
    }
  }

  /// The services by the names of their containers: those that they give, and those that Compose would.
  private var containers: [String: String] {
    var containers: [String: String] = [:]
    for entry in root.node["services"]?.entries ?? [] {
      containers[entry.value["container_name"]?.scalar?.text ?? entry.key.value] = entry.key.value
    }
    return containers
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
      }
      dropPortsOfIPv6(of: &service, networks)
      draft.services[service.name.value] = service
      guard networks["default"] == nil,
        let attachment = service.attachments.first(where: { $0.network.value == "default" })
      else { continue }
      var network = StackFile.Network(name: attachment.network)
      network.isImplicit = true
      networks.append(network)
    }
    return networks
  }

  /// `[::]:80:80` beside `0.0.0.0:80:80` is what people write for all addresses, also where there is no IPv6.
  private func dropPortsOfIPv6(of service: inout StackFile.Service, _ networks: NamedList<StackFile.Network>) {
    guard service.ports.contains(where: { $0.address == .v6(.any) }),
      !service.attachments.contains(where: { networks[$0.network.value]?.hasIPv6 ?? false })
    else { return }
    for port in service.ports where port.address == .v6(.any) {
      root.report(
        .ignoredKey, "a port on [::] leads nowhere: service \"\(service.name.value)\" has no IPv6", at: port.span,
        help: ["write `enable_ipv6: true` in a network of it"])
    }
    service.ports.removeAll { $0.address == .v6(.any) }
  }

  // MARK: - The name

  /// The caller's, the file's `name:`, or what the path says.
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
    let text = StackNaming.name(ofPath: location)
    // A `name:` that is wrong has been reported; one more error about the path would not help.
    if text.isEmpty, root.node["name"] == nil {
      diagnostics.add(
        Diagnostic(
          .badName, "the path \"\(Field.shortened(location))\" gives the stack no name", file: start.file.path,
          help: ["write `name:` at the top of the file"]))
    }
    return Located(text.isEmpty ? "stack" : text, start)
  }
}
