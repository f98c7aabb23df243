import StackFiles
import Vocabulary

/// Collects what an export finds about keys, and makes the report of it.
struct ExportLedger {
  private struct Note {
    var outcome: ExportReport.Outcome
    var text: String
    var remedy: String?
    var place: String?
  }

  let target: ExportTarget
  private var notes: [String: [Note]] = [:]
  private var order: [String] = []

  init(_ target: ExportTarget) { self.target = target }

  /// - Parameters:
  ///   - key: its path, as `services.web.ports`. It may be one that the file does not have, when a default is meant.
  ///   - place: the line of the file, for a key that it does not have.
  mutating func note(
    _ key: String, _ outcome: ExportReport.Outcome, _ text: String, do remedy: String? = nil, at place: Span? = nil
  ) {
    let note = Note(outcome: outcome, text: text, remedy: remedy, place: place?.place)
    guard !(notes[key] ?? []).contains(where: { $0.text == text && $0.remedy == remedy }) else { return }
    if notes[key] == nil { order.append(key) }
    notes[key, default: []].append(note)
  }

  /// Says what is so with the value that a key has. Nothing, if the file does not have the key.
  mutating func settle(
    _ key: String, _ outcome: ExportReport.Outcome, _ text: String, do remedy: String? = nil
  ) {
    guard !(notes[key] ?? []).contains(where: { $0.text == text }) else { return }
    notes[key, default: []].append(Note(outcome: outcome, text: text, remedy: remedy))
  }

  var isRefused: Bool { notes.values.contains { $0.contains { $0.outcome == .refused } } }

  /// - Parameters:
  ///   - keys: those of the file.
  ///   - absent: services whose profile is not active.
  func report(_ stack: String, _ keys: [UsedKey], absent: Set<String>) -> ExportReport {
    var rows: [ExportReport.Row] = []
    var seen: Set<String> = []
    for key in keys {
      let path = key.path.joined(separator: ".")
      // Items of a list have the same keys.
      guard seen.insert(path).inserted else { continue }
      var row = ExportReport.Row(key: path, place: key.span.place, outcome: .kept, text: "")
      if key.path.count > 2, key.path[0] == "services", absent.contains(key.path[1]) {
        (row.outcome, row.text) = (.changed, "left out: its profile is not active")
        row.remedy = "export with --profile"
      } else {
        let treatment = ExportKeys.treatment(of: key, for: target)
        (row.outcome, row.text, row.remedy) = (treatment.outcome, treatment.text, treatment.remedy)
      }
      rows += Self.rows(row, notes[path] ?? [])
    }
    for key in order where !seen.contains(key) {
      let row = ExportReport.Row(key: key, place: notes[key]?.first?.place ?? "", outcome: .kept, text: "")
      rows += Self.rows(row, notes[key] ?? [])
    }
    return ExportReport(target: target, stack: stack, rows: rows)
  }

  /// A note on a value says more than what is true of its key. A row for each outcome, so that each loss
  /// stands beside its remedy; what is kept is not said beside what is not.
  private static func rows(_ row: ExportReport.Row, _ notes: [Note]) -> [ExportReport.Row] {
    guard let worst = notes.map(\.outcome).max() else { return [row] }
    let outcomes = ExportReport.Outcome.allCases.reversed().filter { $0 > .kept || worst == .kept }
    return outcomes.compactMap { outcome in
      let own = notes.filter { $0.outcome == outcome }
      guard !own.isEmpty else { return nil }
      let remedies = own.compactMap(\.remedy).uniqued()
      var part = row
      part.outcome = outcome
      part.text = own.map(\.text).joined(separator: "; ")
      part.remedy = remedies.isEmpty ? nil : remedies.joined(separator: "; ")
      return part
    }
  }
}
