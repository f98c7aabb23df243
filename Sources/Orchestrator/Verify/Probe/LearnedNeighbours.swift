import Addresses
import Kernel
import Netlink

/// The neighbours that services have learned. What a run of probes has them learn is forgotten afterwards: the kernel's table has
/// one limit for all namespaces, and a run asks of everybody about everybody.
struct LearnedNeighbours {
  private struct Entry: Hashable {
    var link: UInt32
    var address: IPAddress
  }

  private let places: [ProbePlace]
  private let before: [Set<Entry>]

  /// - Parameter places: where packets start from and arrive; the host's own namespace is left alone.
  init(of places: [ProbePlace]) {
    self.places = places
    before = places.map { place in Set(Self.learned(in: place).map { Entry(link: $0.link, address: $0.address) }) }
  }

  /// Deletes what has come since. A namespace that has gone has nothing left to delete.
  func forgetNew() {
    for (place, before) in zip(places, before) {
      let new = Self.learned(in: place).filter { !before.contains(Entry(link: $0.link, address: $0.address)) }
      guard !new.isEmpty else { continue }
      var batch = RouteBatch()
      for neighbour in new { batch.delete(neighbour, tolerating: .gone) }
      _ = try? place.visit { () throws(KernelError) in
        var socket = try NetlinkSocket(.route)
        _ = socket.attempt(batch)
      }
    }
  }

  /// Permanent entries and those that need no resolution are nobody's answers (NUD_PERMANENT, NUD_NOARP).
  private static func learned(in place: ProbePlace) -> [Neighbour] {
    let found = try? place.visit { () throws(KernelError) in
      var socket = try NetlinkSocket(.route)
      return try socket.neighbours()
    }
    return (found ?? []).filter { $0.state & 0xC0 == 0 }
  }
}
