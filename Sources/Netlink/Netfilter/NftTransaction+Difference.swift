extension NftTransaction {
  /// Changes tables from one state to another, where only the elements of sets and maps differ. The cost is that of the
  /// difference, and what packets have added to sets stays.
  ///
  /// Fails where more differs: then whole tables have to be replaced.
  public init?(from old: [NftTable], to new: [NftTable]) {
    guard old.count == new.count else { return nil }
    var (sets, maps): ([Change<NftSet>], [Change<NftMap>]) = ([], [])
    for (before, after) in zip(old, new) {
      guard before.outline == after.outline else { return nil }
      sets += zip(before.sets, after.sets).compactMap { Change($0, $1, \.elements, in: after.name) }
      maps += zip(before.maps, after.maps).compactMap { Change($0, $1, \.elements, in: after.name) }
    }
    // Where elements are ranges, the kernel keeps the two ends of each as elements of their own.
    guard !sets.contains(where: { $0.gone.isInterval && $0.gone.key.count == 1 }),
      !maps.contains(where: { $0.gone.isInterval && $0.gone.key.count == 1 })
    else { return nil }
    self.init()
    for change in sets where !change.gone.elements.isEmpty { deleteElements(of: change.gone, in: change.table) }
    for change in maps where !change.gone.elements.isEmpty { deleteElements(of: change.gone, in: change.table) }
    for change in sets where !change.added.elements.isEmpty { addElements(of: change.added, in: change.table) }
    for change in maps where !change.added.elements.isEmpty { addElements(of: change.added, in: change.table) }
  }

  /// A set or a map with the elements that go, and the same with those that come.
  private struct Change<Container> {
    var gone: Container
    var added: Container
    var table: NftTableName

    init?<Element: Hashable>(
      _ before: Container, _ after: Container, _ elements: WritableKeyPath<Container, [Element]>, in table: NftTableName
    ) {
      let (old, new) = (before[keyPath: elements], after[keyPath: elements])
      // Most elements are the same, and in the same order.
      let head = zip(old, new).prefix { $0 == $1 }.count
      let tail = zip(old[head...].reversed(), new[head...].reversed()).prefix { $0 == $1 }.count
      guard head + tail < max(old.count, new.count) else { return nil }
      let (known, wanted) = (Set(old), Set(new))
      (gone, added, self.table) = (before, after, table)
      gone[keyPath: elements] = old[head..<(old.count - tail)].filter { !wanted.contains($0) }
      added[keyPath: elements] = new[head..<(new.count - tail)].filter { !known.contains($0) }
    }
  }
}

extension NftTable {
  /// The table without elements, and whatever its counters begin from.
  fileprivate var outline: NftTable {
    var outline = self
    for index in sets.indices { outline.sets[index].elements = [] }
    for index in maps.indices { outline.maps[index].elements = [] }
    for index in counters.indices { (outline.counters[index].packets, outline.counters[index].bytes) = (0, 0) }
    return outline
  }
}
