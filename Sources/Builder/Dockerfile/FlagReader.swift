import StackFiles

/// The flags of one instruction, checked against those that it knows.
struct FlagReader {
  enum Kind { case text, truth, list }

  private let parts: InstructionParts
  private var values: [String: [UnexpandedText]] = [:]

  /// - Throws: an unknown flag, a repeated one, or a value that does not fit.
  init(_ parts: InstructionParts, _ known: [String: Kind]) throws(Diagnostic) {
    self.parts = parts
    for flag in parts.flags {
      guard let kind = known[flag.name] else { throw Self.unknown(flag, known, parts) }
      if kind != .list, values[flag.name] != nil {
        throw Diagnostic(
          .unknownFlag, "--\(flag.name) stands twice", at: parts.line.span(flag.range), help: ["remove one of the two"])
      }
      values[flag.name, default: []].append(try Self.value(of: flag, kind, parts))
    }
  }

  private static func unknown(
    _ flag: WordSplitter.Flag, _ known: [String: Kind], _ parts: InstructionParts
  ) -> Diagnostic {
    let names = known.keys.sorted()
    return Diagnostic(
      .unknownFlag, "\(parts.keyword) has no flag --\(flag.name)", at: parts.line.span(flag.range),
      Suggestion.question(about: flag.name, among: names),
      help: [
        names.isEmpty ? "\(parts.keyword) takes none" : "its flags: " + names.map { "--\($0)" }.joined(separator: " ")
      ])
  }

  private static func value(
    of flag: WordSplitter.Flag, _ kind: Kind, _ parts: InstructionParts
  ) throws(Diagnostic) -> UnexpandedText {
    let span = parts.line.span(flag.valueRange.isEmpty ? flag.range : flag.valueRange)
    if kind == .truth {
      let text = flag.value.map { $0.lowercased() } ?? "true"
      guard ["true", "false"].contains(text) else {
        throw Diagnostic(
          .badFlagValue, "--\(flag.name) cannot be \"\(text)\"", at: span, help: ["write true or false"])
      }
      return UnexpandedText(text, span)
    }
    guard let value = flag.value else {
      throw Diagnostic(
        .badFlagValue, "--\(flag.name) has no value", at: span, help: ["write --\(flag.name)=VALUE"])
    }
    return UnexpandedText(value, span)
  }

  subscript(_ name: String) -> UnexpandedText? { values[name]?.last }

  func list(_ name: String) -> [UnexpandedText] { values[name] ?? [] }

  func isTrue(_ name: String) -> Bool { self[name]?.text == "true" }
}
