import Addresses
import Vocabulary

/// A routing table of a machine: the longest prefix that contains the destination decides (ip-route(8)). Pure.
struct ForwardingTable: Sendable {
  /// A way out of a machine.
  struct NextHop: Hashable, Sendable {
    /// The wire, by its number in the routing.
    var wire: Int
    /// The router's address; nil where the destination itself is on the wire.
    var gateway: IPAddress?
    /// The address that packets of the machine itself are sent from.
    var source: IPAddress?
    /// The time to live of packets that the machine itself sends by it.
    var hopLimit = 64
  }

  enum Action: Hashable, Sendable {
    /// Several are equally good; the kernel chooses by a hash of the flow.
    case send([NextHop])
    case blackhole
    /// Is answered by an ICMP message (routes of kind unreachable and prohibit).
    case refuse
    /// The gateway is in none of the machine's subnets.
    case stray(IPAddress)
  }

  struct Entry: Hashable, Sendable {
    var destination: IPPrefix
    var action: Action
    /// As `ip route` has it: `10.2.0.0/24 via 10.1.0.2`.
    var text: String
    var declaredAt: SourceLine?
  }

  private(set) var entries: [Entry] = []
  /// By length, the longest first; each with the places of its entries.
  private var levels: [(length: Int, places: [IPPrefix: Int])] = []

  /// Of entries to the same prefix, the first stays.
  mutating func add(_ entry: Entry) {
    let length = entry.destination.length
    let level = levels.firstIndex { $0.length <= length } ?? levels.count
    if level == levels.count || levels[level].length != length { levels.insert((length, [:]), at: level) }
    guard levels[level].places[entry.destination] == nil else { return }
    levels[level].places[entry.destination] = entries.count
    entries.append(entry)
  }

  /// The place of the entry that decides; nil where there is none.
  func place(for destination: IPAddress) -> Int? {
    for level in levels {
      guard let prefix = IPPrefix(containing: destination, length: level.length) else { continue }
      if let place = level.places[prefix] { return place }
    }
    return nil
  }
}
