import Intent

/// Cuts addresses into stretches by what is about them.
enum AddressPartition {
  /// - Parameter owners: for each number, the ranges that it is about, merged.
  /// - Returns: stretches in order, each with the numbers that are about all of it, in order; none for what nothing is about.
  static func stretches(_ owners: [(number: Int, ranges: [AddressRange])]) -> [(AddressRange, [Int])] {
    // A change at an address: a number begins, or has ended with the address before.
    var changes: [(at: UInt128, number: Int, begins: Bool)] = []
    for owner in owners {
      for range in owner.ranges {
        changes.append((range.first, owner.number, true))
        if range.last < .max { changes.append((range.last + 1, owner.number, false)) }
      }
    }
    changes.sort { $0.at < $1.at }
    var stretches: [(AddressRange, [Int])] = []
    var active: [Int] = []
    var index = 0
    while index < changes.count {
      let start = changes[index].at
      while index < changes.count, changes[index].at == start {
        let change = changes[index]
        let place = active.firstIndex { $0 >= change.number } ?? active.endIndex
        if change.begins {
          active.insert(change.number, at: place)
        } else if place < active.endIndex, active[place] == change.number {
          active.remove(at: place)
        }
        index += 1
      }
      guard !active.isEmpty else { continue }
      let end = index < changes.count ? changes[index].at - 1 : .max
      if let last = stretches.last, last.1 == active, last.0.last + 1 == start {
        stretches[stretches.count - 1].0.last = end
      } else {
        stretches.append((AddressRange(start, end), active))
      }
    }
    return stretches
  }
}
