import Kernel
import Netlink
import Runtime

extension StackCommands {
  /// A service's links, or one of them: `web1:front`, `web/web1:front`, `web1`.
  public struct LinkPlace: Hashable, Sendable {
    public var stack: String
    public var service: String
    /// nil for all of the service's.
    public var network: String?
  }

  /// What a person means by `web1:front`.
  public func linkPlace(_ text: String, in stack: String?) throws(StackErrors) -> LinkPlace {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let place = try index.find(parts[0], in: stack)
    return LinkPlace(stack: place.stack, service: place.service, network: parts.count == 2 ? parts[1] : nil)
  }

  /// Changes by hand what befalls packets on links, until it is taken back, its time is up or the stack is down.
  public func shape(
    _ place: LinkPlace, _ request: LinkRequest, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let seconds = try request.seconds
    return try locked(place.stack, report: report) { () throws(StackErrors) in
      var changes: [SupervisorMethods.Shape.Change] = []
      for attachment in try attachments(at: place) {
        let override = try request.override(of: attachment)
        changes.append(.init(service: place.service, network: attachment.network, override: override))
        var shaped = attachment
        shaped.override = override
        try checkEmulator(shaped, place)
      }
      return try perform(
        SupervisorMethods.Shape.self, .init(changes: changes, seconds: seconds), on: folders.stack(place.stack),
        report: report)
    }
  }

  private func attachments(at place: LinkPlace) throws(StackErrors) -> [DesiredAttachment] {
    let subject = "\(place.stack)/\(place.service)"
    let recorded = try rethrowing(place.stack) { () throws(KernelError) in try index.desired(place.stack) }
    let all = recorded?.service(named: place.service)?.attachments ?? []
    let meant = all.filter { place.network == nil || $0.network == place.network }
    guard !meant.isEmpty else {
      let names = all.map(\.network)
      throw StackErrors([
        StackError(
          subject, place.network.map { "is on no network \($0)" } ?? "is on no network",
          remedy: names.isEmpty ? nil : "it is on \(names.joined(separator: ", "))")
      ])
    }
    return meant
  }

  private func checkEmulator(_ attachment: DesiredAttachment, _ place: LinkPlace) throws(StackErrors) {
    let conditions = attachment.currentConditions
    guard conditions.needsEmulator,
      try !rethrowing(place.stack, { () throws(KernelError) in try EmulatorTrial.isThere() })
    else { return }
    let condition = conditions.egress.needsEmulator ? conditions.egress : conditions.ingress
    throw StackErrors([
      EmulatorTrial.error(
        "\(place.stack)/\(place.service)", condition, at: "network \(attachment.network)",
        remedy: EmulatorTrial.remedy)
    ])
  }

  // MARK: Partitions

  /// Cuts groups of services off from each other; one group alone from all others. `heal` with nil.
  ///
  /// - Parameter groups: names of services: `web1`, or `web` for all replicas of it.
  public func partition(
    _ groups: [[String]]?, of stack: String, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(stack, report: report) { () throws(StackErrors) in
      let recorded = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
      guard let recorded else { throw StackErrors([StackError(stack, "is not up")]) }
      let chosen = try groups.map { groups throws(StackErrors) in try Self.instances(of: groups, in: recorded) }
      return try perform(
        SupervisorMethods.Partition.self, .init(groups: chosen), on: folders.stack(stack), report: report)
    }
  }

  static func instances(of groups: [[String]], in stack: DesiredStack) throws(StackErrors) -> [[String]] {
    var chosen: [[String]] = []
    var groupOf: [String: Int] = [:]
    var errors: [StackError] = []
    for (number, names) in groups.enumerated() {
      var group: [String] = []
      for name in names {
        let meant = stack.services.filter { $0.name == name || $0.service == name }.map(\.name)
        if meant.isEmpty {
          errors.append(
            StackError(
              stack.name, "has no service \(name)",
              remedy: "it has \(stack.services.map(\.name).joined(separator: ", "))"))
        }
        for instance in meant {
          if let other = groupOf.updateValue(number, forKey: instance), other != number {
            errors.append(StackError(stack.name, "\(instance) cannot be on two sides of a partition"))
          }
          group.append(instance)
        }
      }
      chosen.append(group)
    }
    guard errors.isEmpty else { throw StackErrors(errors) }
    if chosen.count == 1 {
      let rest = stack.services.map(\.name).filter { groupOf[$0] == nil }
      guard !rest.isEmpty else {
        throw StackErrors([
          StackError(stack.name, "no service is left that these could be cut off from", remedy: "name fewer")
        ])
      }
      chosen.append(rest)
    }
    return chosen
  }

  // MARK: Looking

  /// One way over a link, as it is.
  public struct LinkStatus: Sendable {
    public var stack: String
    public var service: String
    public var network: String
    public var direction: LinkDirection
    public var condition: LinkCondition
    public var isDown: Bool
    /// Whether it was changed by hand; else it is as the file says.
    public var isByHand: Bool
    public var packets: UInt64
    public var octets: UInt64
    public var dropped: UInt64
  }

  /// The links of a stack, both ways, with what has passed since each was made.
  public func links(of stack: String, _ place: LinkPlace? = nil) throws(StackErrors) -> [LinkStatus] {
    try rethrowing(stack) { () throws(KernelError) in
      guard let desired = try index.desired(stack) else { return [] }
      var host = try NetlinkSocket(.route)
      var filters = try NetlinkSocket(.netfilter)
      var statuses: [LinkStatus] = []
      for service in desired.services where place == nil || place?.service == service.name {
        // One in another's namespace has no links of its own.
        guard !service.attachments.isEmpty else { continue }
        let pin = folders.stack(stack).service(service.name).namespace
        let namespace = try NetworkNamespace.open(pinnedAt: pin)
        var inner = try NetlinkSocket(.route, in: namespace.descriptor)
        var innerFilters = try NetlinkSocket(.netfilter, in: namespace.descriptor)
        let table = LossFilter.tableName(stack, service.name)
        for attachment in service.attachments where place?.network == nil || place?.network == attachment.network {
          for direction in LinkDirection.allCases {
            let isEgress = direction == .egress
            var status = LinkStatus(
              stack: stack, service: service.name, network: attachment.network, direction: direction,
              condition: attachment.currentConditions[direction], isDown: attachment.isSetDown,
              isByHand: (isEgress ? attachment.override?.egress : attachment.override?.ingress) != nil,
              packets: 0, octets: 0, dropped: 0)
            // One, or two without veth; of a trunk one for each VLAN that has a bridge of its own.
            for pair in attachment.pairs {
              let link = isEgress ? try inner.link(named: pair.interface) : try host.link(named: pair.link)
              status.packets += link?.traffic?.sentPackets ?? 0
              status.octets += link?.traffic?.sentOctets ?? 0
              for number in [LinkQueues.bucket, LinkQueues.emulator] {
                guard let index = link?.index else { continue }
                let queue = isEgress ? try inner.queue(number, on: index) : try host.queue(number, on: index)
                status.dropped += UInt64(queue?.counters.dropped ?? 0)
              }
              if status.condition.loss > .none {
                let chain = isEgress ? pair.link : pair.interface
                let rules = isEgress ? try filters.rules(of: table) : try innerFilters.rules(of: table)
                status.dropped += rules.filter { $0.chain == chain }.reduce(0) { $0 + $1.packets }
              }
            }
            statuses.append(status)
          }
        }
      }
      return statuses
    }
  }
}
