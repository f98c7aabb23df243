import Kernel
import StackFiles

/// A part of Go's templates, as `--format` of Compose takes them: `{{.Name}}\t{{.State}}`, `{{json .}}`,
/// `{{json .Field}}`, `{{upper .Field}}` and `{{lower .Field}}`. With `table ` before it, lines have a heading.
struct OutputTemplate {
  private enum Piece {
    case text(String)
    case field(String, Function)
    case whole
  }

  private enum Function: String { case plain, json, upper, lower }

  /// True if columns stand under each other, below their names.
  let isTable: Bool
  private let pieces: [Piece]

  /// - Parameter fields: the names that there are.
  /// - Throws: the reason why the text is no such template, as a sentence without its full stop.
  init(_ text: String, fields: [String]) throws(Mistake) {
    isTable = text.hasPrefix("table ")
    // It would say the same in each line: it is a word that was misspelt.
    guard text.contains("{{") else { throw Mistake(text: "\(text) is neither table nor json, nor has it a {{.Field}}") }
    var rest = Substring(isTable ? String(text.dropFirst("table ".count)) : text)
    var pieces: [Piece] = []
    while let start = rest.firstRange(of: "{{") {
      pieces.append(.text(Self.unescaped(rest[..<start.lowerBound])))
      rest = rest[start.upperBound...]
      guard let end = rest.firstRange(of: "}}") else { throw Mistake(text: "{{ without }}") }
      pieces.append(try Self.action(rest[..<end.lowerBound], fields))
      rest = rest[end.upperBound...]
    }
    pieces.append(.text(Self.unescaped(rest)))
    self.pieces = pieces
  }

  struct Mistake: Error {
    var text: String
  }

  private static func action(_ text: Substring, _ fields: [String]) throws(Mistake) -> Piece {
    let words = text.split(separator: " ").map(String.init)
    if words == ["json", "."] || words == ["."] { return .whole }
    guard let last = words.last, last.hasPrefix("."), words.count <= 2 else { throw Mistake(text: "{{\(text)}}") }
    let name = String(last.dropFirst())
    guard fields.contains(name) else {
      throw Mistake(text: "there is no field .\(name), but these: \(fields.joined(separator: ", "))")
    }
    guard words.count == 2 else { return .field(name, .plain) }
    guard let function = Function(rawValue: words[0]), function != .plain else { throw Mistake(text: "{{\(text)}}") }
    return .field(name, function)
  }

  private static func unescaped(_ text: Substring) -> String {
    String(text).replacing("\\t", with: "\t").replacing("\\n", with: "\n")
  }

  /// Lines of text for rows, each with its fields and with all of it as JSON.
  func lines(_ rows: [(fields: [String: String], json: String)]) -> String {
    guard isTable else { return rows.map { line($0.fields, $0.json) + "\n" }.joined() }
    let heading = line(Dictionary(uniqueKeysWithValues: names.map { ($0, Self.heading($0)) }), "")
    let all = [heading] + rows.map { line($0.fields, $0.json) }
    return Table.text(all.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) })
  }

  private var names: Set<String> {
    Set(pieces.compactMap { piece in if case .field(let name, _) = piece { name } else { nil } })
  }

  /// `ExitCode` is `EXIT CODE`.
  private static func heading(_ name: String) -> String {
    var words = ""
    var wasLower = false
    for character in name {
      if character.isUppercase, wasLower { words += " " }
      words += character.uppercased()
      wasLower = character.isLowercase
    }
    return words
  }

  private func line(_ fields: [String: String], _ json: String) -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .whole: json
      case .field(let name, let function):
        switch function {
        case .plain: VisibleText.line(fields[name] ?? "")
        case .json: OutputValue.text(fields[name] ?? "").json
        case .upper: VisibleText.line((fields[name] ?? "").uppercased())
        case .lower: VisibleText.line((fields[name] ?? "").lowercased())
        }
      }
    }.joined()
  }
}
