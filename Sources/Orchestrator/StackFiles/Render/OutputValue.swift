import Kernel

/// A value to print as JSON or YAML, with its keys in the order given.
package indirect enum OutputValue: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    var key: String
    var value: OutputValue

    package init(key: String, value: OutputValue) { (self.key, self.value) = (key, value) }
  }

  case text(String)
  case number(Int)
  case bool(Bool)
  case list([OutputValue])
  case mapping([Entry])

  /// A mapping without the keys whose value is nil.
  package static func mapping(_ entries: KeyValuePairs<String, OutputValue?>) -> OutputValue {
    .mapping(entries.compactMap { key, value in value.map { Entry(key: key, value: $0) } })
  }

  /// A mapping with further entries.
  func adding(_ entries: [Entry]) -> OutputValue {
    guard case .mapping(let own) = self else { return self }
    return .mapping(own + entries)
  }

  static func texts(_ texts: some Sequence<String>) -> OutputValue { .list(texts.map(OutputValue.text)) }
}

// MARK: - JSON (RFC 8259)

extension OutputValue {
  /// On one line.
  var json: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number(let number): String(number)
    case .bool(let value): String(value)
    case .list(let items): "[" + items.map(\.json).joined(separator: ",") + "]"
    case .mapping(let entries):
      "{" + entries.map { Self.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
    }
  }

  /// On several lines, indented by two. Ends without a newline.
  package var prettyJSON: String { pretty(indent: "") }

  private func pretty(indent: String) -> String {
    let inner = indent + "  "
    switch self {
    case .list(let items) where !items.isEmpty:
      return "[\n" + items.map { inner + $0.pretty(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
    case .mapping(let entries) where !entries.isEmpty:
      let lines = entries.map { inner + Self.quoted($0.key) + ": " + $0.value.pretty(indent: inner) }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    default: return json
    }
  }

  /// Valid both in JSON and as YAML's double-quoted style.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      // Beyond the basic plane JSON and YAML write characters differently; none of them moves a cursor or turns text around.
      case _ where scalar.value <= 0xFFFF && !VisibleText.isSafe(scalar):
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

// MARK: - YAML

extension OutputValue {
  /// Block style, which both YAML 1.1 and 1.2 read as it is meant. Ends with a newline.
  package var yaml: String {
    switch self {
    case .list(let items) where !items.isEmpty: block(items, indent: "")
    case .mapping(let entries) where !entries.isEmpty: block(entries, indent: "")
    default: flow + "\n"
    }
  }

  private func block(_ entries: [Entry], indent: String) -> String {
    entries.map { entry in
      let key = indent + Self.scalar(entry.key) + ":"
      switch entry.value {
      case .mapping(let inner) where !inner.isEmpty: return key + "\n" + block(inner, indent: indent + "  ")
      case .list(let items) where !items.isEmpty: return key + "\n" + block(items, indent: indent + "  ")
      default: return key + " " + entry.value.flow + "\n"
      }
    }.joined()
  }

  private func block(_ items: [OutputValue], indent: String) -> String {
    items.map { item in
      switch item {
      case .mapping(let entries) where !entries.isEmpty:
        // The first key stands on the dash's line.
        return indent + "- " + block(entries, indent: indent + "  ").dropFirst(indent.count + 2)
      case .list(let items) where !items.isEmpty:
        return indent + "- " + block(items, indent: indent + "  ").dropFirst(indent.count + 2)
      default: return indent + "- " + item.flow + "\n"
      }
    }.joined()
  }

  private var flow: String {
    switch self {
    case .text(let text): Self.scalar(text)
    default: json
    }
  }

  /// Without quotes only where no reader could take the text for anything else.
  private static func scalar(_ text: String) -> String {
    func isPlain(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "/", ".", "-": true
      default: false
      }
    }
    // YAML 1.1's booleans, and the nulls of both.
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
    guard let first = text.unicodeScalars.first, first == "/" || first.properties.isAlphabetic,
      text.unicodeScalars.allSatisfy(isPlain), !words.contains(text.lowercased())
    else { return quoted(text) }
    return text
  }
}
