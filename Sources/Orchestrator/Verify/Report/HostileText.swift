import Vocabulary

/// The outcome of forged frames as people read it.
extension HostileVerification {
  /// A line for each kind, what is open, and the last line: `0 open of 812`.
  package var text: String {
    ([table] + findings.map(\.complaint) + unasked.map { "could not be asked: \($0)\n" } + notes.map { "note: \($0)\n" })
      .map { $0 + "\n" }.joined() + summary
  }

  private var table: String {
    let head = ["kind", "sent", "tried", "open"]
    let rows = kinds.map { kind in
      let attackers = findings.filter { $0.kind == kind.kind }.map(\.attacker).uniqued()
      let names = attackers.prefix(4) + (attackers.count > 4 ? ["and \(attackers.count - 4) more"] : [])
      return [kind.kind.rawValue, kind.kind.title, "\(kind.tried)", kind.open == 0 ? "0" : "!\(kind.open)"]
        + (names.isEmpty ? [] : ["from " + names.joined(separator: ", ")])
    }
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    return ([head] + rows).map { row in
      let cells = row.enumerated().map { column, text in
        let isLast = column == row.count - 1
        return isLast ? text : text + String(repeating: " ", count: max(0, widths[column] - text.count))
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined()
  }
}

extension HostileVerification.Finding {
  /// A finding in words: attacker, victims, the frames that arrived, and the chains that should have dropped them.
  var complaint: String {
    let most = 3
    let rest = sent.count > most ? ["and \(sent.count - most) more"] : []
    let lines =
      sent.prefix(most).map { "sent: \($0)" } + rest
      + (hasMoved ? ["the bridge looked for that address at \(attacker)'s port, until it was put back"] : [])
      + guards.map { "should have been stopped by \($0.name)" + (missing.contains($0) ? ", which is not there" : "") }
    return "open: \(name)\n" + lines.map { "  \($0)\n" }.joined()
  }

  /// `evil -> db, web: another's address (source)`
  var name: String {
    let most = 5
    let places = victims.prefix(most) + (victims.count > most ? ["and \(victims.count - most) more"] : [])
    let target = places.isEmpty ? "" : " -> " + places.joined(separator: ", ")
    return "\(attacker)\(target): \(kind.title) (\(kind.rawValue))"
  }
}

extension HostileGuard {
  /// `chain addressed of table bridge stack-web/ports`
  var name: String {
    switch self {
    case .chain(let chain, let table): "chain \(chain) of table \(table)"
    case .filter(.arriving(let link)): "the ingress filter (tc) of \(link)"
    case .filter(.leaving(let link)): "the egress filter (tc) of \(link)"
    }
  }
}
