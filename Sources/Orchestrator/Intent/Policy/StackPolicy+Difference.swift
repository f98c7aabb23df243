import Vocabulary

extension StackPolicy {
  /// The difference in a line, as in `added deny: any -> db; network back is closed now`; nil if there is none.
  package func difference(from before: StackPolicy) -> String? {
    var parts: [String] = []
    let (old, new) = (before.rules.map(\.line), rules.map(\.line))
    let (added, removed) = (Self.excess(of: new, over: old), Self.excess(of: old, over: new))
    if !added.isEmpty { parts.append("added " + Self.list(added)) }
    if !removed.isEmpty { parts.append("removed " + Self.list(removed)) }
    if added.isEmpty, removed.isEmpty, old != new { parts.append("the rules are in another order") }
    for network in closedNetworks where !before.closedNetworks.contains(network) {
      parts.append("network \(network) is closed by default now")
    }
    for network in before.closedNetworks where !closedNetworks.contains(network) {
      parts.append("network \(network) is open by default now")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private static func excess(of lines: [String], over others: [String]) -> [String] {
    var counts = Dictionary(grouping: others, by: \.self).mapValues(\.count)
    return lines.filter { line in
      guard let count = counts[line], count > 0 else { return true }
      counts[line] = count - 1
      return false
    }
  }

  private static func list(_ lines: [String]) -> String {
    let shown = lines.prefix(3).joined(separator: ", ")
    return lines.count > 3 ? "\(shown) and \(lines.count - 3) more" : shown
  }
}
