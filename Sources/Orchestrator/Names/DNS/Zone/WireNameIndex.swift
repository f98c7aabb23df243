import DNS

/// Numbers for names, found by what stands in a message, without making anything on the way.
///
/// Open addressing; at most half full.
struct WireNameIndex: Sendable {
  private var slots: [Int32] = Array(repeating: -1, count: 16)
  /// All names behind one another, in lower case; name n stands from `starts[n]` to `starts[n + 1]`.
  private var names: [UInt8] = []
  private var starts: [Int32] = [0]

  var count: Int { starts.count - 1 }

  /// The number of a name, a new one if it has none yet.
  mutating func insert(_ name: DNSName) -> Int {
    if let number = find(name.wire.span) { return number }
    names += name.wire
    starts.append(Int32(names.count))
    if 2 * count > slots.count { grow() } else { place(count - 1) }
    return count - 1
  }

  /// The number of a plain name, in whatever case it is written.
  func find(_ name: Octets) -> Int? {
    var slot = Int(truncatingIfNeeded: Self.hash(name)) & (slots.count - 1)
    while slots[slot] >= 0 {
      if isEqual(Int(slots[slot]), name) { return Int(slots[slot]) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func isEqual(_ number: Int, _ name: Octets) -> Bool {
    let start = Int(starts[number])
    guard Int(starts[number + 1]) - start == name.count else { return false }
    for index in 0..<name.count where name[index].foldedCase != names[start + index] { return false }
    return true
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    for number in 0..<count { place(number) }
  }

  private mutating func place(_ number: Int) {
    let hash = Self.hash(names.span.extracting(Int(starts[number])..<Int(starts[number + 1])))
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(number)
  }

  /// FNV-1a. Only the stack file puts names in, so nobody can make them collide.
  private static func hash(_ name: Octets) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<name.count { hash = (hash ^ UInt64(name[index].foldedCase)) &* 0x100_0000_01b3 }
    return hash ^ hash >> 32
  }
}
