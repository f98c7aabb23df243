import Host
import Intent
import Kernel
import Supervision
import Vocabulary

extension StackCommands {
  /// A service's links, or one of them: `web1:front`, `web/web1:front`, `web1`.
  package struct LinkPlace: Hashable, Sendable {
    package var stack: String
    var service: String
    /// nil for all of the service's.
    var network: String?
  }

  /// What a person means by `web1:front`: where the service has replicas, the links of each.
  package func linkPlaces(_ text: String, in stack: String?) throws(StackErrors) -> [LinkPlace] {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let network = parts.count == 2 ? parts[1] : nil
    return try index.places(of: parts[0], in: stack)
      .map { LinkPlace(stack: $0.stack, service: $0.service, network: network) }
  }

  /// Changes by hand what befalls packets on links, until it is taken back, its time is up or the stack is down.
  package func shape(
    _ place: LinkPlace, _ request: LinkRequest, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let seconds = try request.seconds
    return try locked(place.stack, report: report) { () throws(StackErrors) in
      let recorded = try rethrowing(place.stack) { () throws(KernelError) in try index.desired(place.stack) }
      var changes: [SupervisorMethods.Shape.Change] = []
      for link in try shapedLinks(at: place, in: recorded) {
        let override = try request.override(on: link.declared, inPlaceOf: link.override)
        changes.append(.init(service: place.service, place: link.place, override: override))
        try checkEmulator(link.declared.changed(by: override?.current), link, place)
      }
      return try perform(
        SupervisorMethods.Shape.self, .init(changes: changes, seconds: seconds), on: folders.stack(place.stack),
        report: report)
    }
  }

  /// One of a service's links, seen from the service.
  private struct ShapedLink {
    var place: SupervisorMethods.Shape.Place
    /// As messages call it: `network front`, `the link to r2`.
    var name: String
    var declared: LinkConditions
    var override: LinkOverride?
  }

  private func shapedLinks(at place: LinkPlace, in stack: DesiredStack?) throws(StackErrors) -> [ShapedLink] {
    let subject = "\(place.stack)/\(place.service)"
    let attachments = (stack?.service(named: place.service)?.attachments ?? []).filter { place.means($0) }
    if let macvlan = attachments.first(where: { $0.parent != nil }) {
      throw StackErrors([
        StackError(
          subject, "cannot change its link to network \(macvlan.network): of macvlan the host has no end",
          remedy: "use driver bridge for what is to be shaped")
      ])
    }
    let cables = (stack?.cables(of: place.service) ?? []).filter { place.means($0) }
    let links =
      attachments.map {
        ShapedLink(
          place: .network($0.network), name: "network \($0.network)", declared: $0.conditions ?? LinkConditions(),
          override: $0.override)
      }
      + cables.map {
        ShapedLink(
          place: .interface($0.first.interface), name: "the link to \($0.second.service)", declared: $0.conditions,
          override: $0.override)
      }
    guard links.isEmpty else { return links }
    let names =
      (stack?.service(named: place.service)?.attachments ?? []).map(\.network)
      + (stack?.cables(of: place.service) ?? []).map(\.second.service)
    throw StackErrors([
      StackError(
        subject, place.network.map { "has no link to \($0)" } ?? "has no links",
        remedy: names.isEmpty ? nil : "it has links to \(names.joined(separator: ", "))")
    ])
  }

  private func checkEmulator(
    _ conditions: LinkConditions, _ link: ShapedLink, _ place: LinkPlace
  ) throws(StackErrors) {
    guard conditions.needsEmulator,
      try !rethrowing(place.stack, { () throws(KernelError) in try EmulatorTrial.isThere() })
    else { return }
    let condition = conditions.egress.needsEmulator ? conditions.egress : conditions.ingress
    throw StackErrors([
      MissingEmulator.error(
        "\(place.stack)/\(place.service)", condition, at: link.name, remedy: MissingEmulator.remedy)
    ])
  }

  // MARK: Partitions

  /// Cuts groups of services off from each other; one group alone from all others. `heal` with nil.
  ///
  /// - Parameter sides: names of services: `web1`, or `web` for all replicas of it.
  package func partition(
    _ sides: [[String]]?, of stack: String, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(stack, report: report) { () throws(StackErrors) in
      let recorded = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
      guard let recorded else { throw StackErrors([StackError(stack, "is not up")]) }
      let partition = sides.map { Partition(sides: $0, hasRest: $0.count == 1) }
      if let partition { try recorded.check(partition) }
      return try perform(
        SupervisorMethods.Partition.self, .init(partition: partition), on: folders.stack(stack), report: report)
    }
  }

  // MARK: Looking

  /// One way over a link, as it is.
  package struct LinkStatus: Sendable {
    var stack: String
    package var service: String
    /// nil for a link to another service.
    package var network: String?
    /// Of a link to another service: that one's name, and the interface of this one.
    package var peer: String?
    /// The same, as it is told from other links to that service: `r2.eth1`.
    package var cable: String?
    package var interface: String
    package var direction: LinkDirection
    package var condition: LinkCondition
    package var isDown: Bool
    /// Whether a partition lies across it.
    package var isCut: Bool
    /// Whether it was changed by hand; else it is as the file says.
    package var isByHand: Bool
    /// Seconds until what was changed by hand ends by itself; nil for not by itself.
    package var secondsLeft: Double?
    package var packets: UInt64
    package var octets: UInt64
    package var dropped: UInt64
  }

  /// The links of a stack, both ways, with what has passed since each was made.
  package func links(of stack: String, _ place: LinkPlace? = nil) throws(StackErrors) -> [LinkStatus] {
    try rethrowing(stack) { () throws(KernelError) in
      guard let desired = try index.desired(stack) else { return [] }
      var inspection = try LinkInspection(desired, folders: folders)
      var statuses: [LinkStatus] = []
      for service in desired.services where place == nil || place?.service == service.name {
        for attachment in service.attachments where place?.means(attachment) ?? true {
          statuses += try inspection.statuses(of: attachment, service)
        }
        for cable in desired.cables(of: service.name) where place?.means(cable) ?? true {
          statuses += try inspection.statuses(of: cable)
        }
      }
      return statuses
    }
  }

  /// The partition that stands, in words; nil when none does.
  package func partition(of stack: String) throws(StackErrors) -> String? {
    try rethrowing(stack) { () throws(KernelError) in try index.desired(stack)?.partition?.description }
  }
}

extension DesiredLink {
  /// What it is called by its first end where several links lead to the same service: `r2.eth1`.
  var distinctName: String { "\(second.service).\(first.interface)" }
}

extension StackCommands.LinkPlace {
  /// Whether it is about a service's attachment: by its network or its interface.
  func means(_ attachment: DesiredAttachment) -> Bool {
    network == nil || network == attachment.network || network == attachment.interface
  }

  /// Whether it is about a link between two services, seen from the first: by the other service, or by the interface.
  func means(_ link: DesiredLink) -> Bool {
    network == nil || network == link.second.service || network == link.first.interface || network == link.distinctName
  }
}

extension DesiredStack {
  /// A service's links to others, each seen from it.
  func cables(of service: String) -> [DesiredLink] {
    links.flatMap { [$0, $0.reversed] }.filter { $0.first.service == service }
  }

  /// - Throws: why services cannot be cut off from each other like this.
  func check(_ partition: Partition) throws(StackErrors) {
    var errors: [StackError] = []
    var sideOf: [String: Int] = [:]
    for (number, names) in partition.sides.enumerated() {
      for name in names {
        let meant = services.filter { $0.name == name || $0.service == name }
        if meant.isEmpty {
          errors.append(
            StackError(
              self.name, "has no service \(name)", remedy: "it has \(services.map(\.name).joined(separator: ", "))"))
        }
        for service in meant {
          guard let owner = service.namespaceOwnerName else {
            errors.append(StackError(self.name, "\(service.name) cannot be cut off: it has the host's network"))
            continue
          }
          guard let other = sideOf.updateValue(number, forKey: owner), other != number else { continue }
          errors.append(
            StackError(
              self.name,
              owner == service.name
                ? "\(service.name) cannot be on two sides of a partition"
                : "\(service.name) and \(owner) cannot be on two sides of a partition: they share one network"))
        }
      }
    }
    if errors.isEmpty, partition.hasRest, services.allSatisfy({ sideOf[$0.namespaceOwnerName ?? ""] != nil }) {
      errors.append(
        StackError(self.name, "no service is left that these could be cut off from", remedy: "name fewer"))
    }
    errors += uncuttable(sideOf)
    guard errors.isEmpty else { throw StackErrors(errors) }
  }

  /// Frames of macvlan pass from one service to the other without the host.
  private func uncuttable(_ sideOf: [String: Int]) -> [StackError] {
    networks.filter { $0.parent != nil }.compactMap { network in
      let members = services.filter { service in service.attachments.contains { $0.network == network.name } }
      let sides = Dictionary(grouping: members) { sideOf[$0.name] }
      guard sides.count > 1, sides.contains(where: { $0.key != nil }) else { return nil }
      return StackError(
        name,
        "\(members.map(\.name).joined(separator: " and ")) cannot be cut off from each other: macvlan network"
          + " \(network.name) does not pass through the host",
        remedy: "use driver bridge for what is to be cut")
    }
  }
}
