import Host
import Intent
import Kernel
import Supervision
import Vocabulary

/// Shows or changes delay, loss and rate on links of a stack.
package struct LinkCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The links that `web1:front` means. For a service with replicas, these are the links of each.
  package func places(_ text: String, in stack: String?) throws(StackErrors) -> [LinkPlace] {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let network = parts.count == 2 ? parts[1] : nil
    return try index.places(of: parts[0], in: stack)
      .map { LinkPlace(stack: $0.stack, service: $0.service, network: network) }
  }

  /// Changes delay, loss and rate of links by hand. The change lasts until it is taken back, its time is up or the
  /// stack is down.
  package func shape(
    _ place: LinkPlace, _ request: LinkRequest, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let seconds = try request.seconds
    return try context.locked(place.stack, report: report) { () throws(StackErrors) in
      let recorded = try rethrowing(place.stack) { () throws(KernelError) in try index.desired(place.stack) }
      var changes: [SupervisorMethods.Shape.Change] = []
      for link in try shapedLinks(at: place, in: recorded) {
        let override = try request.override(on: link.declared, inPlaceOf: link.override)
        if link.isOfHost, override?.current[.egress] != nil || override?.current[.ingress] != nil {
          throw StackErrors([
            StackError(
              "\(place.stack)/\(place.service)",
              "cannot change \(link.name): what comes in from outside cannot be held back",
              remedy: "it can be set down and up; put a router between, and the conditions on the link to it")
          ])
        }
        changes.append(.init(service: place.service, place: link.place, override: override))
        try checkEmulator(link.declared.changed(by: override?.current), link, place)
      }
      return try context.perform(
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
    /// True if its other end is a link of the host.
    var isOfHost = false
  }

  private func shapedLinks(at place: LinkPlace, in stack: DesiredStack?) throws(StackErrors) -> [ShapedLink] {
    let subject = "\(place.stack)/\(place.service)"
    let attachments = (stack?.service(named: place.service)?.attachments ?? []).filter { place.means($0) }
    if let macvlan = attachments.first(where: { !$0.isOnBridge }) {
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
          override: $0.override, isOfHost: $0.hostLink != nil)
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

  /// The links of a stack, both ways, with what has passed since each was made.
  package func statuses(of stack: String, _ place: LinkPlace? = nil) throws(StackErrors) -> [LinkStatus] {
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
}
