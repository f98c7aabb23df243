extension [DesiredMount] {
  /// True if a service that is made anew would see the same under both lists.
  ///
  /// A mount is made before those below it, whatever the order of the list. Earlier releases recorded another order, and
  /// what they started runs on. Only two mounts with one target have an order: the later one covers the other.
  func showsSame(as other: [DesiredMount]) -> Bool {
    let (mine, others) = (map(\.unplaced), other.map(\.unplaced))
    guard Set(mine.map(\.target)).count == mine.count else { return mine == others }
    return mine.count == others.count && Set(mine) == Set(others)
  }
}
