import Addresses
import Kernel
import Netlink
import Vocabulary

/// The neighbours that services have learned. What a run of probes has them know is forgotten afterwards: the kernel's table
/// has one limit for all namespaces, and a run asks of everybody about everybody.
///
/// The kernel reads that whole table for each namespace that is asked for its part. So they are asked once before all
/// questions and once after them, while nobody is told of others.
struct LearnedNeighbours {
  private struct Entry: Hashable {
    var link: UInt32
    var address: IPAddress

    init(_ neighbour: Neighbour) { (link, address) = (neighbour.link, neighbour.address) }
  }

  private struct Acquaintances {
    var place: ProbePlace
    /// The entries that it had before, and those among them that it had learned.
    var known: Set<Entry> = []
    var learned: Set<Entry> = []
    /// By name.
    var links: [String: UInt32] = [:]
  }

  private let all: [Acquaintances]

  /// - Parameter places: where packets start from and arrive; the host's own namespace is left alone.
  init(of places: [ProbePlace]) {
    all = places.map { place in
      let found = try? place.visit { () throws(KernelError) in
        var socket = try NetlinkSocket(.route)
        let neighbours = try socket.neighbours()
        return Acquaintances(
          place: place, known: Set(neighbours.map(Entry.init)),
          learned: Set(neighbours.filter(Self.isLearned).map(Entry.init)),
          links: Dictionary(keepingFirst: try socket.links().map { ($0.name, $0.index) }))
      }
      return found ?? Acquaintances(place: place)
    }
  }

  /// Entries that places were told of.
  struct Told {
    fileprivate var entries: [(place: ProbePlace, neighbours: [Neighbour])] = []

    /// Deletes them. A namespace that has gone has nothing left to delete.
    func forget() {
      for (place, neighbours) in entries {
        LearnedNeighbours.change(place) { batch in
          for neighbour in neighbours { batch.delete(neighbour, tolerating: .gone) }
        }
      }
    }
  }

  /// Tells places of others, by the places' names. What they know of somebody already stays.
  func tell(_ introductions: [String: [LargeNetworks.Introduction]]) -> Told {
    var told = Told()
    for acquaintances in all {
      var known = acquaintances.known
      let neighbours = (introductions[acquaintances.place.name] ?? []).compactMap { introduction -> Neighbour? in
        guard let link = acquaintances.links[introduction.interface] else { return nil }
        let neighbour = Neighbour(introduction.address, at: introduction.mac, on: link)
        return known.insert(Entry(neighbour)).inserted ? neighbour : nil
      }
      guard !neighbours.isEmpty else { continue }
      told.entries.append((acquaintances.place, neighbours))
      Self.change(acquaintances.place) { batch in
        for neighbour in neighbours { batch.set(neighbour) }
      }
    }
    return told
  }

  /// Deletes what has come since.
  func forgetNew() {
    for acquaintances in all {
      _ = try? acquaintances.place.visit { () throws(KernelError) in
        var socket = try NetlinkSocket(.route)
        let new = try socket.neighbours().filter {
          Self.isLearned($0) && !acquaintances.learned.contains(Entry($0))
        }
        guard !new.isEmpty else { return }
        var batch = RouteBatch()
        for neighbour in new { batch.delete(neighbour, tolerating: .gone) }
        _ = socket.attempt(batch)
      }
    }
  }

  private static func change(_ place: ProbePlace, _ body: (inout RouteBatch) -> Void) {
    var batch = RouteBatch()
    body(&batch)
    _ = try? place.visit { () throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      _ = socket.attempt(batch)
    }
  }

  /// Permanent entries and those that need no resolution are nobody's answers (NUD_PERMANENT, NUD_NOARP).
  private static func isLearned(_ neighbour: Neighbour) -> Bool { neighbour.state & 0xC0 == 0 }
}
