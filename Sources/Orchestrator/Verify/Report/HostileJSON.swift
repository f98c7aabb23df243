import FoundationEssentials
import Vocabulary

/// The outcome of forged frames for machines.
extension HostileVerification {
  private struct Report: Encodable {
    struct Kind: Encodable {
      var kind: String
      var title: String
      var tried: Int
      var open: Int
    }
    struct Finding: Encodable {
      struct Guard: Encodable {
        /// nil for a filter of tc.
        var table: String?
        var chain: String?
        /// The link that the filter is at; nil for a chain.
        var filter: String?
        var standing: Bool

        init(_ one: HostileGuard, standing: Bool) {
          switch one {
          case .chain(let chain, let table): (self.table, self.chain) = ("\(table)", chain)
          case .filter(.arriving(let link)), .filter(.leaving(let link)): filter = link
          }
          self.standing = standing
        }
      }
      var kind: String
      var attacker: String
      var victims: [String]
      var sent: [String]
      /// True if a bridge looked for another's address at the attacker's port.
      var moved: Bool
      var guards: [Guard]
    }
    var stack: String
    var kinds: [Kind]
    var findings: [Finding]
    var unasked: [String]
    var notes: [String]
    var milliseconds: Int64
    var open: Int
    var total: Int
  }

  /// One object, over several lines.
  package var json: String {
    let report = Report(
      stack: stack,
      kinds: kinds.map {
        Report.Kind(kind: $0.kind.rawValue, title: $0.kind.title, tried: $0.tried, open: $0.open)
      },
      findings: findings.map { finding in
        Report.Finding(
          kind: finding.kind.rawValue, attacker: finding.attacker, victims: finding.victims, sent: finding.sent,
          moved: finding.hasMoved,
          guards: finding.guards.map {
            Report.Finding.Guard($0, standing: !finding.missing.contains($0))
          })
      }, unasked: unasked, notes: notes, milliseconds: duration.milliseconds, open: open, total: total)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Text, numbers and lists of them always encode.
    return (try? encoder.encode(report)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
