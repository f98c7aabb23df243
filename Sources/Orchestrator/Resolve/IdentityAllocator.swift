import Isolation
import Vocabulary

/// Chooses ranges of ids for the users of services: 65,536 each, out of those that systemd keeps for containers
/// (0x00080000 to 0x6fffffff, systemd's UIDS-GIDS.md). Pure.
struct IdentityAllocator {
  static let pool: ClosedRange<UInt32> = 0x0008_0000...0x6fff_ffff
  /// The number of ids that a service has.
  static let size = IdentityRange.count
  private static let places = (pool.upperBound - pool.lowerBound + 1) / size

  /// Numbers of ranges of the pool.
  private var taken: Set<UInt32> = []

  init(taken: [ClosedRange<UInt32>]) {
    for range in taken where range.overlaps(Self.pool) {
      let range = range.clamped(to: Self.pool)
      self.taken.formUnion(Self.place(range.lowerBound)...Self.place(range.upperBound))
    }
  }

  /// Takes the range that starts at `first`, if it is one of the pool's and free.
  mutating func keep(_ first: UInt32) -> Bool {
    guard Self.pool.contains(first), (first - Self.pool.lowerBound) % Self.size == 0 else { return false }
    return taken.insert(Self.place(first)).inserted
  }

  /// A range that nobody has. It follows from the owner's name, so that a stack that is taken down and brought up again
  /// most likely has the same.
  ///
  /// - Returns: its first id; nil when there is none left.
  mutating func range(for owner: String) -> UInt32? {
    var place = UInt32(truncatingIfNeeded: StableHash("ids", owner).value % UInt64(Self.places))
    for _ in 0..<Self.places {
      if taken.insert(place).inserted { return Self.pool.lowerBound + place * Self.size }
      place = (place + 1) % Self.places
    }
    return nil
  }

  private static func place(_ id: UInt32) -> UInt32 { (id - pool.lowerBound) / size }
}
