import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Vocabulary

extension StackBuilder {
  /// Sets delay, loss and rate on the links of a service, in place of those that are set.
  ///
  /// A veth has two ends, and each shapes what leaves by it: the service's own what it sends, the host's what it gets.
  func shape(_ service: DesiredService) throws(KernelError) {
    let namespace = try namespace(of: service.name)
    var host = try NetlinkSocket(.route)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var lost: (outside: [(String, Share)], inside: [(String, Share)]) = ([], [])
    for attachment in service.attachments {
      let conditions = attachment.currentConditions
      for pair in attachment.pairs {
        guard let near = try host.link(named: pair.link), let own = try inner.link(named: pair.interface)
        else { continue }
        var emulates = try apply(conditions.egress, to: own, through: &inner)
        if !emulates { lost.outside.append((pair.link, conditions.egress.loss)) }
        emulates = try apply(conditions.ingress, to: near, through: &host)
        if !emulates { lost.inside.append((pair.interface, conditions.ingress.loss)) }
        if near.isUp == attachment.isSetDown {
          var change = LinkChange(.index(near.index))
          change.isUp = !attachment.isSetDown
          var batch = RouteBatch()
          batch.change(change)
          try host.apply(batch)
        }
      }
    }
    guard emulates.withLock({ $0 }) != true else { return }
    try netfilter.commit(LossFilter(stack: stack, service: service.name, losses: lost.outside).transaction)
    var filters = try NetlinkSocket(.netfilter, in: namespace.descriptor)
    try filters.commit(LossFilter(stack: stack, service: service.name, losses: lost.inside).transaction)
  }

  /// Sets delay, loss and rate on a link between two services, in place of those that are set.
  func shape(_ link: DesiredLink, in desired: DesiredStack) throws(KernelError) {
    guard link.hostLink == nil else { return try setCarrier(of: link, in: desired) }
    let isCut = desired.isCut(link)
    for way in [link, link.reversed] {
      var sender = try NetlinkSocket(.route, in: try namespace(of: way.first.service).descriptor)
      guard let end = try sender.link(named: way.first.interface) else { continue }
      let condition = way.currentConditions.egress
      let isDone = try apply(condition, to: end, through: &sender)
      // A table for each end: those of the service's networks are another. What is cut is all lost, so that both services keep
      // their addresses and routes.
      let loss = isCut ? Share.all : isDone ? .none : condition.loss
      let filter = LossFilter(
        stack: stack, service: "\(way.second.service)/\(way.second.interface)",
        losses: loss == .none ? [] : [(way.second.interface, loss)])
      var receiver = try NetlinkSocket(.netfilter, in: try namespace(of: way.second.service).descriptor)
      try receiver.commit(filter.transaction)
    }
    try setCarrier(of: link, in: desired)
  }

  /// Makes the queues of one end of a link what they are to be: in place where they are of the same kinds.
  ///
  /// - Returns: false when there is loss in the condition that the queues do not bring about.
  private func apply(
    _ condition: LinkCondition, to link: Link, through socket: inout NetlinkSocket
  ) throws(KernelError) -> Bool {
    let isKnown = emulates.withLock { $0 }
    do throws(KernelError) {
      try build(condition, on: link, emulates: isKnown ?? true, through: &socket)
    } catch {
      guard isKnown == nil, error.isUnknownQueue else { throw error }
      emulates.withLock { $0 = false }
      guard !condition.needsEmulator else { throw MissingEmulator.refusal(of: condition, link.name) }
      try build(condition, on: link, emulates: false, through: &socket)
      return condition.loss == .none
    }
    if isKnown == nil, condition.needsEmulator || condition.loss > .none { emulates.withLock { $0 = true } }
    return isKnown != false || condition.loss == .none
  }

  private func build(
    _ condition: LinkCondition, on link: Link, emulates: Bool, through socket: inout NetlinkSocket
  ) throws(KernelError) {
    let wanted = LinkQueues(condition, on: link.index, mtu: link.mtu, emulates: emulates)
    var observed: [ObservedQueue] = []
    for number in [LinkQueues.bucket, LinkQueues.emulator] {
      if let queue = try socket.queue(number, on: link.index) { observed.append(queue) }
    }
    guard !wanted.disciplines.isEmpty || !observed.isEmpty else { return }
    var batch = RouteBatch()
    if wanted.isBuilt(like: observed) {
      for discipline in wanted.disciplines { batch.change(discipline) }
    } else {
      if !observed.isEmpty { batch.deleteQueues(of: link.index, tolerating: .gone) }
      for discipline in wanted.disciplines { batch.create(discipline) }
    }
    try socket.apply(batch)
  }

  /// Removes what `LossFilter` and `PartitionFilter` have made on the host, also for services that nobody remembers.
  func removeOtherTables() throws(KernelError) {
    let own = try netfilter.tables().filter { Firewall.owner(of: $0.name, comment: $0.comment) == stack }
    guard !own.isEmpty else { return }
    var transaction = NftTransaction()
    for table in own { transaction.deleteIfPresent(table.name, comment: table.comment) }
    try netfilter.commit(transaction)
  }
}
