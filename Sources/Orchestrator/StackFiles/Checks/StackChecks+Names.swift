extension StackChecks {
  /// A name that leads to one container: a service's, a container name, a replica's.
  private struct Claim {
    var service: StackFile.Service
    var what: String
    var span: Span
  }

  /// Names that must lead to one place do. Names are found in /etc/hosts, which is blind to case.
  func checkNames() {
    var claims: [String: Claim] = [:]
    for service in stack.services {
      claim(
        service.name.value,
        Claim(service: service, what: "service", span: service.name.span), &claims)
    }
    for service in stack.services {
      guard let name = service.containerName else { continue }
      claim(
        name.value, Claim(service: service, what: "container", span: name.span),
        &claims)
    }
    let owners = Dictionary(stack.services.map { ($0.name.value.lowercased(), $0) }) { first, _ in first }
    for (key, taken) in claims.sorted(by: { $0.key < $1.key }) { checkReplica(key, taken, owners) }
  }

  private func claim(_ name: String, _ new: Claim, _ claims: inout [String: Claim]) {
    let key = name.lowercased()
    guard let old = claims[key] else {
      claims[key] = new
      return
    }
    guard old.service.name != new.service.name, Self.canRunTogether(old.service, new.service) else { return }
    let isCaseOnly = old.what == "service" && new.what == "service"
    diagnostics.add(
      Diagnostic(
        isCaseOnly ? .nameCollision : .duplicateContainerName,
        isCaseOnly
          ? "the service names \"\(old.service.name.value)\" and \"\(name)\" differ in case alone"
          : "the container name \"\(name)\" of service \"\(new.service.name.value)\" is taken",
        at: new.span, also: [Diagnostic.Label(old.span, "the \(old.what) is named here")]))
  }

  /// True if a name reads as another service's replica: `web-2` where `web` has two.
  private func checkReplica(_ key: String, _ taken: Claim, _ owners: [String: StackFile.Service]) {
    guard let dash = key.lastIndex(of: "-"), let number = Int(key[key.index(after: dash)...]),
      String(number) == key[key.index(after: dash)...]
    else { return }
    guard let owner = owners[String(key[..<dash])], (1...max(1, owner.scale.value)).contains(number),
      owner.scale.value > 0,
      owner.name != taken.service.name, Self.canRunTogether(owner, taken.service)
    else { return }
    diagnostics.add(
      Diagnostic(
        .nameCollision,
        "the \(taken.what) name \"\(key)\" is that of replica \(number) of service \"\(owner.name.value)\"",
        at: taken.span, also: [Diagnostic.Label(owner.name.span, "its replicas are \(owner.name.value)-1 and so on")],
        help: ["choose another name"]))
  }

  /// Reports keys that only one replica can have.
  func checkScale() {
    for service in stack.services where service.scale.value > 1 {
      let label = Diagnostic.Label(service.scale.span, "\(service.scale.value) replicas")
      func report(_ what: String, at span: Span, help: String) {
        diagnostics.add(
          Diagnostic(
            .scaleConflict, "service \"\(service.name.value)\" has \(service.scale.value) replicas and \(what)",
            at: span, also: [label], help: [help]))
      }
      if let name = service.containerName {
        report(
          "one container name", at: name.span,
          help: "leave the name out: replicas are \(service.name.value)-1 and so on")
      }
      for attachment in service.attachments {
        if let address = attachment.address {
          report("one fixed address", at: address.span, help: "leave it out: each replica gets one of its own")
        }
        if let address = attachment.furtherAddresses.first {
          report("one further address", at: address.span, help: "leave it out: an address is one service's")
        }
        if let mac = attachment.mac {
          report("one hardware address", at: mac.span, help: "leave it out: each replica gets one of its own")
        }
      }
      if let address = service.loopback.first {
        report("one loopback address", at: address.span, help: "leave it out: an address is one service's")
      }
      for link in stack.links {
        for end in link.ends where end.service.value == service.name.value {
          report("one end of a link", at: end.service.span, help: "links are for a single service: use a network")
        }
      }
      for port in service.ports {
        switch port.host {
        case .free: break
        case .oneOf(let range):
          guard range.count < service.scale.value else { continue }
          report("\(range.count) host ports", at: port.span, help: "give a range of \(service.scale.value) ports")
        case .fixed:
          report("one host port", at: port.span, help: "give a range to choose from, or no host port for a free one")
        }
      }
    }
  }
}
