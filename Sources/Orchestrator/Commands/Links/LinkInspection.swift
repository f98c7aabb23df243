import Host
import Intent
import Kernel
import Netfilter
import Netlink
import Rules
import Runtime
import Supervision
import Vocabulary

/// Looks at the links of a stack, from the host and from inside its services.
struct LinkInspection: ~Copyable {
  private let stack: DesiredStack
  private let folder: StackFolder
  private let now = Supervisor.secondsSinceBoot
  private var host: NetlinkSocket
  private var filters: NetlinkSocket

  init(_ stack: DesiredStack, folders: StateFolders) throws(KernelError) {
    let route = try NetlinkSocket(.route)
    let netfilter = try NetlinkSocket(.netfilter)
    self.stack = stack
    folder = folders.stack(stack.name)
    host = route
    filters = netfilter
  }

  /// Both ways over an attachment.
  mutating func statuses(
    of attachment: DesiredAttachment, _ service: DesiredService
  ) throws(KernelError) -> [LinkStatus] {
    let namespace = try NetworkNamespace.open(pinnedAt: folder.service(service.name).namespace)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var innerFilters = try NetlinkSocket(.netfilter, in: namespace.descriptor)
    let table = LossFilter.tableName(stack.name, service.name)
    var statuses: [LinkStatus] = []
    for direction in LinkDirection.allCases {
      var status = status(
        of: service.name, attachment.interface, direction, attachment.currentConditions, attachment.override)
      status.network = attachment.network
      // One, or two without veth; of a trunk one for each VLAN that has a bridge of its own.
      for pair in attachment.pairs {
        if direction == .egress {
          try status.count(pair.interface, &inner)
          if status.condition.loss > .none { try status.countLost(table, pair.link, &filters) }
        } else {
          try status.count(pair.link, &host)
          if status.condition.loss > .none { try status.countLost(table, pair.interface, &innerFilters) }
        }
      }
      statuses.append(status)
    }
    return statuses
  }

  /// Both ways over a link between two services, seen from the first.
  mutating func statuses(of link: DesiredLink) throws(KernelError) -> [LinkStatus] {
    var statuses: [LinkStatus] = []
    for (direction, way) in [(LinkDirection.egress, link), (.ingress, link.reversed)] {
      var status = status(
        of: link.first.service, link.first.interface, direction, link.currentConditions, link.override)
      status.peer = link.second.service
      let isOnly = stack.links.count { $0.touches([link.first.service]) && $0.touches([link.second.service]) } == 1
      status.cable = isOnly ? link.second.service : link.distinctName
      status.isCut = stack.isCut(link)
      if way.first.interface == link.hostLink?.name, way.first.service == link.second.service, link.hostLink != nil {
        try status.count(way.first.interface, &host)
        statuses.append(status)
        continue
      }
      let sender = try NetworkNamespace.open(pinnedAt: folder.service(way.first.service).namespace)
      var inner = try NetlinkSocket(.route, in: sender.descriptor)
      try status.count(way.first.interface, &inner)
      guard link.hostLink == nil else {
        statuses.append(status)
        continue
      }
      let receiver = try NetworkNamespace.open(pinnedAt: folder.service(way.second.service).namespace)
      var lost = try NetlinkSocket(.netfilter, in: receiver.descriptor)
      let table = LossFilter.tableName(stack.name, "\(way.second.service)/\(way.second.interface)")
      try status.countLost(table, way.second.interface, &lost)
      statuses.append(status)
    }
    return statuses
  }

  private func status(
    of service: String, _ interface: String, _ direction: LinkDirection, _ conditions: LinkConditions,
    _ override: LinkOverride?
  ) -> LinkStatus {
    LinkStatus(
      stack: stack.name, service: service, interface: interface, direction: direction,
      condition: conditions[direction], isDown: override?.current.isDown ?? false, isCut: false,
      isByHand: override.map { $0.current.isDown || $0.current[direction] != nil || $0.until != nil } ?? false,
      secondsLeft: override?.until.map { max(0, $0 - now) }, packets: 0, octets: 0, dropped: 0)
  }
}

extension LinkStatus {
  /// Counts the packets that an interface has sent and that its queues have dropped.
  fileprivate mutating func count(_ interface: String, _ socket: inout NetlinkSocket) throws(KernelError) {
    guard let link = try socket.link(named: interface) else { return }
    packets += link.traffic?.sentPackets ?? 0
    octets += link.traffic?.sentOctets ?? 0
    for number in [LinkQueues.bucket, LinkQueues.emulator] {
      dropped += UInt64(try socket.queue(number, on: link.index)?.counters.dropped ?? 0)
    }
  }

  /// Counts the packets that a filter has dropped as they came in by an interface.
  fileprivate mutating func countLost(
    _ table: NftTableName, _ interface: String, _ socket: inout NetlinkSocket
  ) throws(KernelError) {
    for rule in try socket.rules(of: table) where rule.chain == interface { dropped += rule.packets }
  }
}
