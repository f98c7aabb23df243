extension Diagnostic {
  /// For programs: positions count lines and columns from 1, offsets in bytes from 0.
  ///
  /// `{"code":"E0102","severity":"error","message":…,"file":"web.stack","start":{"line":6,"column":16,"offset":93},
  /// "end":{…},"label":…,"related":[{"file":…,"start":…,"end":…,"label":…}],"help":[…]}`
  var output: OutputValue {
    var entries: [OutputValue.Entry] = [
      .init(key: "code", value: .text(code.rawValue)),
      .init(key: "severity", value: .text(severity.rawValue)),
      .init(key: "message", value: .text(message)),
      .init(key: "file", value: .text(path)),
    ]
    if let primary { entries += Self.place(primary) }
    entries.append(
      .init(
        key: "related",
        value: .list(
          secondary.map { label in
            .mapping([.init(key: "file", value: .text(label.span.file.path))] + Self.place(label))
          })))
    entries.append(.init(key: "help", value: .texts(help)))
    return .mapping(entries)
  }

  private static func place(_ label: Label) -> [OutputValue.Entry] {
    func output(_ position: Position) -> OutputValue {
      .mapping([
        "line": .number(position.line), "column": .number(position.column), "offset": .number(position.offset),
      ])
    }
    return [
      .init(key: "start", value: output(label.span.start)),
      .init(key: "end", value: output(label.span.end)),
      .init(key: "label", value: .text(label.text)),
    ]
  }

  /// One object a line (jsonlines.org). Ends with a newline unless empty.
  package static func jsonLines(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { $0.output.json + "\n" }.joined()
  }
}
