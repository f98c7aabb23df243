import Intent
import Vocabulary

/// The difference between two states of a stack, sorted by what `up` does to each part.
struct StackDifference {
  let old: DesiredStack
  let new: DesiredStack
  /// True when all of `old` was made. Otherwise an `up` was cut off.
  let isSettled: Bool
  let loss: NetworkLoss

  /// The reason for each instance that has to be recreated.
  private let changes: [String: String]
  /// Old instances that go, or that are recreated.
  let gone: [DesiredService]
  /// Instances that are made for the first time, or recreated.
  let created: [DesiredService]
  /// Instances that stay and do not run.
  let idle: [DesiredService]
  /// Instances that stay and are restarted with what they depend on.
  let following: [DesiredService]
  /// Instances that stay and whose links to networks get other conditions.
  let reshaped: [DesiredService]
  /// Instances that stay and whose ports may send as other addresses than before.
  let guarded: [DesiredService]
  /// Further addresses that instances which stay no longer have; the instances are as they were.
  let addressesLost: [(service: DesiredService, addresses: [FurtherAddress])]
  /// Instances that stay and have other further addresses.
  let addressed: [DesiredService]
  /// Instances that stay and are published otherwise.
  private let republished: [DesiredService]
  /// Instances that stay and have other routes.
  private let routesChanged: Set<String>
  /// Those, and instances whose routes may have gone with an address.
  let rerouted: Set<String>
  let bridgesGone: [DesiredNetwork]
  let bridgesCreated: [DesiredNetwork]
  /// Networks whose bridge stays and lacks something.
  let bridgesRaised: [DesiredNetwork]
  /// Instances that stay and lack addresses or routes inside.
  let readdressed: [DesiredService]
  let linksGone: [DesiredLink]
  let linksCreated: [DesiredLink]
  /// Links between services that stay and get other conditions.
  let linksReshaped: [DesiredLink]

  init(
    from old: DesiredStack, to new: DesiredStack, isSettled: Bool, observed: Planner.Observed, loss: NetworkLoss,
    scope: Planner.Scope
  ) {
    (self.old, self.new, self.isSettled, self.loss) = (old, new, isSettled, loss)
    let changes = Self.changes(from: old, to: new, isSettled: isSettled, observed, loss, scope)
    self.changes = changes
    let (before, after) = (Set(old.services.map(\.name)), Set(new.services.map(\.name)))
    gone = old.services.filter { changes[$0.name] != nil || !after.contains($0.name) }
    created = new.services.filter { changes[$0.name] != nil || !before.contains($0.name) }
    let staying = new.services.filter { changes[$0.name] == nil && before.contains($0.name) }
    idle = staying.filter { scope.contains($0.name) && observed[$0.name]?.isAlive != true }
    following = Planner.followers(of: new.services.filter { changes[$0.name] != nil }, in: new).filter { service in
      changes[service.name] == nil && before.contains(service.name) && observed[service.name]?.isAlive == true
    }
    let befores = old.services.keyed(by: \.name)
    // After an `up` that was cut off, what was to be is on record, and perhaps not brought about.
    reshaped = staying.filter { !isSettled || befores[$0.name]?.hasOtherShape(than: $0) ?? false }
    guarded = staying.filter { service in
      !isSettled || !old.hasCurrentGuards
        || befores[service.name]?.attachments.map(\.claims) != service.attachments.map(\.claims)
    }
    addressesLost = staying.compactMap { service in
      guard let before = befores[service.name] else { return nil }
      let kept = Set(service.furtherAddresses)
      let lost = before.furtherAddresses.filter { !kept.contains($0) }
      return lost.isEmpty ? nil : (before, lost)
    }
    addressed = staying.filter { service in
      let before = befores[service.name]?.furtherAddresses ?? []
      return Set(before) != Set(service.furtherAddresses) || !isSettled && !service.furtherAddresses.isEmpty
    }
    republished = staying.filter { service in befores[service.name].map { Set($0.ports) != Set(service.ports) } ?? false
    }
    routesChanged = Planner.rerouted(from: old, to: new, except: Set(created.map(\.name)), isSettled: isSettled)
    rerouted = routesChanged.union(addressed.filter { !$0.routes.isEmpty }.map(\.name))

    bridgesGone = old.ownNetworks.filter { new.network(named: $0.name) != $0 || loss.networks.contains($0.name) }
    bridgesCreated = new.ownNetworks.filter {
      !isSettled || old.network(named: $0.name) != $0 || loss.networks.contains($0.name)
    }
    let made = Set(bridgesCreated.map(\.name))
    bridgesRaised = new.ownNetworks.filter { loss.faults[$0.name] != nil && !made.contains($0.name) }
    readdressed = staying.filter { loss.inside[$0.name] != nil }
    let (linksBefore, linksAfter) = (Set(old.links.map(\.unshaped)), Set(new.links.map(\.unshaped)))
    linksGone = old.links.filter { !linksAfter.contains($0.unshaped) }
    linksCreated = new.links.filter { !isSettled || !linksBefore.contains($0.unshaped) }
    let createdNames = Set(created.map(\.name))
    linksReshaped = (isSettled ? new.reshapedLinks(since: old) : new.links).filter { !$0.touches(createdNames) }
  }

  /// True when the base has to be made or written again: the record, folders, the firewall, networks.
  var touchesGroundwork: Bool { old != new || !isSettled || !gone.isEmpty || !loss.isEmpty }

  /// True when there may be ports without the filter that drops unmarked packets.
  var makesPorts: Bool {
    !created.isEmpty || !isSettled || !guarded.isEmpty || !new.services.isEmpty && !old.hasCurrentGuards
  }

  private static func changes(
    from old: DesiredStack, to new: DesiredStack, isSettled: Bool, _ observed: Planner.Observed, _ loss: NetworkLoss,
    _ scope: Planner.Scope
  ) -> [String: String] {
    var changes: [String: String] = [:]
    let befores = old.services.keyed(by: \.name)
    for service in new.services {
      guard let before = befores[service.name] else { continue }
      changes[service.name] =
        scope.isRecreated(service.name)
        ? "as asked" : service.difference(from: before, old: old, new: new)
    }
    // An instance without a record never came to run: what there is of it is made anew. So is, after an `up` that was
    // cut off, one that does not run: it may have lost its namespace.
    for service in old.services where changes[service.name] == nil {
      let phase = observed[service.name] ?? .created
      if phase == .created && scope.contains(service.name) || !isSettled && !phase.isAlive {
        changes[service.name] = "it was incomplete"
      }
    }
    for name in loss.instances where changes[name] == nil { changes[name] = "it had lost a link" }
    Planner.addSharers(of: new, to: &changes)
    return changes
  }

  // MARK: In words

  /// The change to each service, with its reason.
  var reasons: [Plan.Reason] {
    let (names, idleNames) = (Set(new.services.map(\.name)), Set(idle.map(\.name)))
    return gone.filter { !names.contains($0.name) }.map { reason($0, "removed") }
      + created.map { service in reason(service, changes[service.name].map { "recreated, \($0)" } ?? "created") }
      + idle.map { reason($0, "started") }
      + (isSettled ? reshaped.map { reason($0, "its links changed") } : [])
      + (isSettled ? linkReasons : [])
      + (isSettled ? addressed.map { reason($0, "other addresses") } : [])
      + republished.map { reason($0, "published ports changed") }
      + new.services.filter { isSettled && routesChanged.contains($0.name) && !idleNames.contains($0.name) }.map {
        reason($0, "other routes")
      }
      + following.map { reason($0, "restarted with what it depends on") }
      + bridgesRaised.compactMap { loss.faults[$0.name] }.map {
        Plan.Reason(service: "networks", text: "\($0): put back")
      }
      + loss.settings.map { Plan.Reason(service: "networks", text: "\($0): put back") }
      + readdressed.map { reason($0, "put back: \(loss.inside[$0.name] ?? "")") }
  }

  private func reason(_ service: DesiredService, _ text: String) -> Plan.Reason {
    Plan.Reason(service: service.name, text: text)
  }

  /// Of links between services, under the name of the first.
  private var linkReasons: [Plan.Reason] {
    [(linksGone, "removed"), (linksCreated, "made"), (linksReshaped, "changed")].flatMap { links, word in
      links.map { Plan.Reason(service: $0.first.service, text: "link to \($0.second.service) \(word)") }
    }
  }
}
