import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// One port to be published, in the place that it has in the file.
  private struct PortSlot {
    let service: Int
    let entry: StackFile.PublishedPort
    /// The host's port in it is to be chosen, unless the file fixes it.
    var port: PublishedPort
    var isTaken = false

    var isFixed: Bool {
      if case .fixed = entry.host { true } else { false }
    }

    /// The ports to choose from: the file's range, or the dynamic ports (RFC 6335, 6).
    var range: ClosedRange<UInt16> {
      if case .oneOf(let range) = entry.host { range } else { 49152...65535 }
    }
  }

  /// Assigns the file's fixed ports first, then those of before, then the free choices. None takes another's.
  mutating func assignPorts(_ services: inout [DesiredService], _ active: [StackFile.Service]) {
    let declared = Dictionary(keepingFirst: active.map { ($0.name.value, $0.ports) })
    var slots: [PortSlot] = []
    for index in services.indices {
      for entry in declared[services[index].service] ?? [] {
        for pair in entry.pairs {
          guard let port = publishedPort(entry, host: pair.host ?? 0, container: pair.container, services[index])
          else { break }
          slots.append(PortSlot(service: index, entry: entry, port: port))
        }
      }
    }
    var ledger = PortLedger(facts: facts)
    for index in slots.indices where slots[index].isFixed { fix(&slots[index], services, &ledger) }
    for index in slots.indices where !slots[index].isTaken { keep(&slots[index], services, &ledger) }
    for index in slots.indices where !slots[index].isTaken { choose(&slots[index], services, &ledger) }
    for slot in slots { services[slot.service].ports.append(slot.port) }
  }

  private mutating func fix(_ slot: inout PortSlot, _ services: [DesiredService], _ ledger: inout PortLedger) {
    let service = services[slot.service]
    slot.isTaken = true
    if let user = ledger.take(slot.port, for: service) {
      errors.append(portError(slot.port, user, service, slot.entry))
    }
  }

  private func keep(_ slot: inout PortSlot, _ services: [DesiredService], _ ledger: inout PortLedger) {
    let service = services[slot.service]
    for before in previousServices[service.name]?.ports ?? []
    where before.target == slot.port.target && before.hostAddress == slot.port.hostAddress
      && slot.range.contains(before.hostPort)
    {
      slot.port.hostPort = before.hostPort
      slot.isTaken = ledger.take(slot.port, for: service) == nil
      if slot.isTaken { return }
    }
  }

  private mutating func choose(_ slot: inout PortSlot, _ services: [DesiredService], _ ledger: inout PortLedger) {
    let service = services[slot.service]
    slot.isTaken = true
    let port = slot.port
    guard let free = slot.range.first(where: { ledger.isFree($0, port, of: service) }) else {
      errors.append(
        StackError(
          "\(stackName)/\(service.name)", "no port in \(slot.range.lowerBound)-\(slot.range.upperBound) is free",
          remedy: "choose another host port in \(slot.entry.span.place)"))
      return
    }
    slot.port.hostPort = free
    _ = ledger.take(slot.port, for: service)
  }

  private func publishedPort(
    _ entry: StackFile.PublishedPort, host: UInt16, container: UInt16, _ service: DesiredService
  ) -> PublishedPort? {
    // The reader has left out ports of SCTP, with a note.
    guard let transport = TransportProtocol(entry.transport) else { return nil }
    return PublishedPort(
      hostAddress: entry.address, hostPort: host, target: ListeningPort(port: container, transport: transport),
      declaredAt: SourceLine(entry.span.place), sources: entry.sources.map { Self.outermost($0.map(\.value)) })
  }

  private func portError(
    _ port: PublishedPort, _ user: HostFacts.PortUser, _ service: DesiredService, _ entry: StackFile.PublishedPort
  ) -> StackError {
    let place = "\((port.hostAddress ?? .v4(.any)).beforePort):\(port.hostPort)/\(port.target.transport.rawValue)"
    let remedy: String
    switch user {
    case .service:
      remedy = "choose another host port in \(entry.span.place)"
    case .stack(let name):
      remedy = "choose another host port in \(entry.span.place), or take that stack down: stack down \(name)"
    case .process, .socket:
      remedy = "choose another host port in \(entry.span.place), or stop that process"
    }
    return StackError("\(stackName)/\(service.name)", "cannot publish \(place): in use by \(user)", remedy: remedy)
  }

  /// Prefixes less those that lie within others: the kernel's sets take no two that overlap.
  private static func outermost(_ prefixes: [IPPrefix]) -> [IPPrefix] {
    var kept: [IPPrefix] = []
    for prefix in prefixes.sorted(by: { $0.length < $1.length })
    where !kept.contains(where: { $0.contains(prefix.network) }) {
      kept.append(prefix)
    }
    return kept.sorted()
  }
}
