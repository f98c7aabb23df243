import Vocabulary

extension DesiredStack {
  /// The links between services that stay and pass packets otherwise than before.
  package func reshapedLinks(since before: DesiredStack) -> [DesiredLink] {
    let formers = before.links.keyed(by: \.unshaped)
    return links.filter { link in
      guard let former = formers[link.unshaped] else { return false }
      return former.currentConditions != link.currentConditions || former.isSetDown != link.isSetDown
        || before.isCut(former) != isCut(link)
    }
  }
}
