import Vocabulary

/// A network or a volume, as commands list it and find it by name.
protocol NamedEntry: Encodable {
  /// `network`, for messages and for the command that lists them.
  static var kind: String { get }
  var name: String { get }
  func isMeant(by name: String) -> Bool
}

extension Array where Element: NamedEntry {
  /// - Throws: that there is none of that name, with those that there are.
  func entry(named name: String) throws(StackErrors) -> Element {
    if let found = first(where: { $0.isMeant(by: name) }) { return found }
    throw StackErrors([
      StackError(
        nil, "there is no \(Element.kind) \(name)",
        remedy: isEmpty ? "see stack \(Element.kind) ls" : "there are: \(map(\.name).joined(separator: ", "))")
    ])
  }

  /// Some of them as JSON, in the order of the names.
  func described(_ names: [String]) throws(StackErrors) -> String {
    var found: [Element] = []
    for name in names { found.append(try entry(named: name)) }
    return JSONText.pretty(found)
  }
}
