import BuildContext

/// Why a step is to be built though it was built before: the first thing that is different.
package struct MissReason: Sendable, Hashable, CustomStringConvertible {
  /// A clause: `src/app.py changed`.
  package var description: String

  private init(_ text: String) { description = text }

  package static let neverBuilt = MissReason("it was not built here before")
  package static let isGone = MissReason("its result was removed")
  package static let asked = MissReason("--no-cache was given")
  package static let stepBefore = MissReason("a step before it is built anew")

  /// - Parameters:
  ///   - former: The record of the last build at this place. Nil for none.
  ///   - formerEntries: The entries that it took.
  ///   - entries: Those that are taken now.
  package init(
    former: StepRecord?, formerEntries: [SelectedEntry]?, now: StepRecord, entries: [SelectedEntry]?
  ) {
    guard let former else {
      self = .neverBuilt
      return
    }
    if former.key == now.key {
      self = .isGone
      return
    }
    let difference = Self.difference(former.parts, now.parts)
    guard let difference else {
      self = .stepBefore
      return
    }
    if difference.kind == .files, let formerEntries, let entries,
      let change = Self.change(from: formerEntries, to: entries)
    {
      // Paths of another place than the context need its name.
      self.init(difference.name == "the context" ? change : "\(change), in \(difference.name)")
      return
    }
    self.init(difference.text)
  }

  // MARK: - Parts

  private struct Difference {
    var kind: StepPart.Kind
    var name: String
    var text: String
  }

  /// The kinds in the order in which a person would look: an instruction that was edited explains the rest.
  private static let order: [StepPart.Kind] = [
    .base, .instruction, .heredoc, .files, .argument, .setting, .variable,
  ]

  private static func difference(_ former: [StepPart], _ now: [StepPart]) -> Difference? {
    for kind in order {
      let (old, new) = (former.filter { $0.kind == kind }, now.filter { $0.kind == kind })
      for part in new where !old.contains(part) {
        return Difference(
          kind: kind, name: part.name, text: text(kind, part.name, old: value(part.name, old), new: part.value))
      }
      for part in old where !new.contains(part) {
        return Difference(kind: kind, name: part.name, text: text(kind, part.name, old: part.value, new: nil))
      }
    }
    return nil
  }

  private static func value(_ name: String, _ parts: [StepPart]) -> String? {
    parts.first { $0.name == name }?.value
  }

  private static func text(_ kind: StepPart.Kind, _ name: String, old: String?, new: String?) -> String {
    switch kind {
    case .base:
      return name.isEmpty
        ? "what the stage begins with changed" : "\(name) moved" + (old.map { " from \(shortened($0))" } ?? "")
    case .instruction: return "the instruction was" + (old.map { ": \(shortened($0))" } ?? " another one")
    case .heredoc: return "the heredoc \(name) changed"
    case .files: return "the files of \(name) changed"
    case .argument: return valueText("argument \(name)", old: old, new: new)
    case .variable: return valueText("variable \(name)", old: old, new: new)
    case .setting: return valueText("the \(name)", old: old, new: new)
    }
  }

  private static func valueText(_ subject: String, old: String?, new: String?) -> String {
    guard let old else { return "\(subject) was not set" }
    guard new != nil else { return "\(subject) is no longer set" }
    return "\(subject) was \(old.isEmpty ? "empty" : shortened(old))"
  }

  private static func shortened(_ text: String) -> String {
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
    return line.count > 60 || line.count < text.count ? "\(line.prefix(60))…" : line
  }

  // MARK: - Files

  private static func change(from former: [SelectedEntry], to now: [SelectedEntry]) -> String? {
    let old = Dictionary(former.map { ($0.path, $0) }) { first, _ in first }
    for entry in now {
      guard let before = old[entry.path] else { return "\(shown(entry)) is new" }
      if before == entry { continue }
      if before.kind != entry.kind { return "\(shown(entry)) is another kind of file" }
      if before.content != entry.content { return "\(shown(entry)) changed" }
      if before.mode != entry.mode {
        return "the mode of \(shown(entry)) was \(String(before.mode, radix: 8))"
      }
      return "the owner of \(shown(entry)) was \(before.user):\(before.group)"
    }
    let present = Set(now.map(\.path))
    return former.first { !present.contains($0.path) }.map { "\(shown($0)) is gone" }
  }

  private static func shown(_ entry: SelectedEntry) -> String {
    let text = ContextPath.shown(entry.path)
    return text.contains(" ") ? text : String(text.dropFirst().dropLast())
  }
}
