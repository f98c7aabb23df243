import Addresses
import Intent

/// Says of a way, for people, who passes packets on and who does not.
struct WayWords {
  private let stack: DesiredStack
  private let routing: PacketRouting

  init(_ stack: DesiredStack, _ routing: PacketRouting) {
    self.stack = stack
    self.routing = routing
  }

  /// `r1, r2`; of many, the first and the last.
  func routers(_ way: Way) -> String {
    let names = way.hops.dropFirst().map(\.machine).filter { $0 != PacketRouting.host }.map(name)
    guard names.count > Self.most else { return names.joined(separator: ", ") }
    return "\(names.prefix(Self.most - 2).joined(separator: ", ")), …, \(names.last ?? "") (\(names.count) routers)"
  }

  private static let most = 6

  /// The reason why packets do not arrive. Nil if they do.
  func obstacle(_ way: Way, to destination: IPAddress) -> String? {
    switch way.end {
    case .arrived, .outside: nil
    case .noRoute(let machine): "\(name(machine)) has no route to \(destination)"
    case .nobody(let address, let wire, let machine):
      "\(name(machine)) asks for \(address) on \(routing.wires[wire].words), where nobody has it"
    case .stray(let gateway, let machine):
      "\(name(machine)) routes by way of \(gateway), which is on none of its networks"
    case .blackhole(let machine, let table, let place):
      "\(name(machine)) drops what goes there" + (line(machine, table, place) ?? "")
    case .refused(let machine, let table, let place):
      "\(name(machine)) refuses what goes there" + (line(machine, table, place) ?? "")
    case .refusedByRule(let machine, let text): "\(name(machine)) refuses it by rule: \(text)"
    case .keptIn(let network): "network \(network) is internal"
    case .notForwarded(let machine): "\(name(machine)) does not forward"
    case .apart(let network): Self.apart(network)
    case .expired(let machine): "the TTL ends at \(name(machine))"
    case .loop: "it goes round in circles: \(circle(way))"
    }
  }

  /// The way hop by hop, as traceroute shows it: who has the packet, what it goes by, and over which wire.
  func steps(_ way: Way, to destination: IPAddress) -> [String] {
    var lines = way.hops.map { hop in
      "\(name(hop.machine)): \(route(hop)), on \(routing.wires[hop.wire].words)"
        + (hop.next == destination ? "" : " to \(hop.next)")
    }
    switch way.end {
    case .arrived: lines.append("\(routing.owner(of: destination) ?? "host"): has \(destination)")
    case .outside: lines.append("beyond the host: \(destination)")
    default: lines.append("ends: \(obstacle(way, to: destination) ?? "")")
    }
    if let obscurity = way.obscurity { lines.append("not certain: \(obscurity)") }
    return lines.enumerated().map { "\($0 + 1) \($1)" }
  }

  private func route(_ hop: Way.Hop) -> String {
    guard let place = hop.place, let entries = routing.machines[hop.machine].tables[hop.table]?.entries,
      entries.indices.contains(place)
    else { return "its network" }
    let entry = entries[place]
    let table = hop.table == Machine.mainTable ? "" : " in table \(hop.table)"
    return entry.text + table + (entry.declaredAt.map { " (\($0))" } ?? "")
  }

  static func apart(_ network: String) -> String {
    "network \(network) is macvlan: the host and its own services there do not reach each other"
  }

  func name(_ machine: Int) -> String { routing.machines[machine].name }

  /// The first machine that is met again, and those between: `r1, r2, r1`.
  private func circle(_ way: Way) -> String {
    var seen: [Int: Int] = [:]
    for (place, hop) in way.hops.enumerated() {
      if let first = seen.updateValue(place, forKey: hop.machine) {
        return way.hops[first...place].map { name($0.machine) }.joined(separator: ", ")
      }
    }
    return way.hops.prefix(Self.most).map { name($0.machine) }.joined(separator: ", ")
  }

  private func line(_ machine: Int, _ table: UInt32, _ place: Int) -> String? {
    guard let entries = routing.machines[machine].tables[table]?.entries, entries.indices.contains(place)
    else { return nil }
    return " (\(entries[place].declaredAt?.description ?? entries[place].text))"
  }
}

extension Segment {
  /// As it follows `on`: `network front`, `the link of r1 and r2`.
  var words: String {
    switch self {
    case .network(let name): "network \(name)"
    case .vlan(let id, let name): "VLAN \(id) of network \(name)"
    case .link: "a link"
    case .inner(let machine, let interface): "\(interface) of \(machine)"
    case .tagged(let id, _): "VLAN \(id)"
    }
  }
}
