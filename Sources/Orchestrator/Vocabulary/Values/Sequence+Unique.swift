extension Sequence where Element: Hashable {
  /// The elements without repetitions, in the order in which each comes first.
  package func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

extension Sequence {
  /// The elements by a key. Of those with the same key, the first stays.
  package func keyed<Key: Hashable>(by key: (Element) -> Key) -> [Key: Element] {
    Dictionary(keepingFirst: map { (key($0), $0) })
  }
}

extension Dictionary {
  /// The values by their keys. Of those with the same key, the first stays.
  package init(keepingFirst pairs: some Sequence<(Key, Value)>) {
    self.init(pairs, uniquingKeysWith: { first, _ in first })
  }
}
