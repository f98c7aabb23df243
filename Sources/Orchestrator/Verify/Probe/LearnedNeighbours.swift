import Addresses
import Kernel
import Netlink

/// The neighbours that services have learned, and those that they are told. What a run of probes has them know is forgotten
/// afterwards: the kernel's table has one limit for all namespaces, and a run asks of everybody about everybody.
struct LearnedNeighbours {
  private struct Entry: Hashable {
    var link: UInt32
    var address: IPAddress

    init(_ neighbour: Neighbour) { (link, address) = (neighbour.link, neighbour.address) }
  }

  private struct Acquaintances {
    var place: ProbePlace
    /// The entries that it had learned before.
    var learned: Set<Entry> = []
    var told: [Neighbour] = []
  }

  private var all: [Acquaintances] = []

  /// - Parameters:
  ///   - places: where packets start from and arrive; the host's own namespace is left alone.
  ///   - introductions: whom places are told of, by their names. What they know of somebody already stays.
  init(of places: [ProbePlace], telling introductions: [String: [LargeNetworks.Introduction]] = [:]) {
    all = places.map { place in
      let own = introductions[place.name] ?? []
      let found = try? place.visit { () throws(KernelError) in try Self.meet(own, place) }
      return found ?? Acquaintances(place: place)
    }
  }

  private static func meet(
    _ introductions: [LargeNetworks.Introduction], _ place: ProbePlace
  ) throws(KernelError) -> Acquaintances {
    var socket = try NetlinkSocket(.route)
    let neighbours = try socket.neighbours()
    var met = Acquaintances(place: place, learned: Set(neighbours.filter(isLearned).map(Entry.init)))
    guard !introductions.isEmpty else { return met }
    let links = Dictionary(
      try socket.links().map { ($0.name, $0.index) }, uniquingKeysWith: { first, _ in first })
    var known = Set(neighbours.map(Entry.init))
    var batch = RouteBatch()
    for introduction in introductions {
      guard let link = links[introduction.interface] else { continue }
      let neighbour = Neighbour(introduction.address, at: introduction.mac, on: link)
      guard known.insert(Entry(neighbour)).inserted else { continue }
      met.told.append(neighbour)
      batch.set(neighbour)
    }
    _ = socket.attempt(batch)
    return met
  }

  /// Deletes what has come since. A namespace that has gone has nothing left to delete.
  func forgetNew() {
    for acquaintances in all {
      _ = try? acquaintances.place.visit { () throws(KernelError) in
        var socket = try NetlinkSocket(.route)
        let new = try socket.neighbours().filter {
          Self.isLearned($0) && !acquaintances.learned.contains(Entry($0))
        }
        var batch = RouteBatch()
        for neighbour in new + acquaintances.told { batch.delete(neighbour, tolerating: .gone) }
        _ = socket.attempt(batch)
      }
    }
  }

  /// Permanent entries and those that need no resolution are nobody's answers (NUD_PERMANENT, NUD_NOARP).
  private static func isLearned(_ neighbour: Neighbour) -> Bool { neighbour.state & 0xC0 == 0 }
}
