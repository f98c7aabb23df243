extension Sequence where Element: Hashable {
  /// The first of each.
  package func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
