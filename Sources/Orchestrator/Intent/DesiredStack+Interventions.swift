import Vocabulary

extension DesiredStack {
  /// The changes by hand that drop packets, each with the command that undoes it.
  package var interventions: [String] {
    var found: [String] = []
    if let partition { found.append("cut off from each other by hand: \(partition) (until: stack heal \(name))") }
    for service in services {
      for attachment in service.attachments {
        let place = "\(name)/\(service.name):\(attachment.network)"
        if let text = Self.intervention(attachment.override, place) { found.append(text) }
      }
    }
    for link in links {
      let place = "\(name)/\(link.first.service):\(link.first.interface)"
      if let text = Self.intervention(link.override, place) { found.append(text) }
    }
    return found
  }

  private static func intervention(_ override: LinkOverride?, _ place: String) -> String? {
    guard let change = override?.current else { return nil }
    if change.isDown { return "\(place) was set down by hand (until: stack link \(place) --up)" }
    let losses = LinkDirection.allCases.compactMap { change[$0]?.loss }
    guard let loss = losses.max(), loss > .none else { return nil }
    return "\(place) loses \(loss) by hand (until: stack link \(place) --reset)"
  }
}
