extension DesiredStack {
  /// The links between services that stay and pass packets otherwise than before.
  package func reshapedLinks(since before: DesiredStack) -> [DesiredLink] {
    let formers = Dictionary(before.links.map { ($0.unshaped, $0) }, uniquingKeysWith: { first, _ in first })
    return links.filter { link in
      guard let former = formers[link.unshaped] else { return false }
      return former.currentConditions != link.currentConditions || former.isSetDown != link.isSetDown
        || before.isCut(former) != isCut(link)
    }
  }
}
