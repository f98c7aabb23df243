/// Patterns of files as .dockerignore(5) has them: `*.log`, `node_modules/`, `**/tmp`, `!keep.log`.
struct FilePatterns: Sendable {
  private struct Pattern: Sendable {
    var parts: [String]
    var isException: Bool
  }

  private let patterns: [Pattern]

  init(_ texts: [String]) {
    patterns = texts.compactMap { text in
      let isException = text.hasPrefix("!")
      let parts = (isException ? text.dropFirst() : text[...]).split(separator: "/").map(String.init)
        .filter { $0 != "." }
      return parts.isEmpty ? nil : Pattern(parts: parts, isException: isException)
    }
  }

  var isEmpty: Bool { patterns.isEmpty }

  /// True if a path, or a folder above it, is one of the files. The last pattern that fits decides.
  ///
  /// - Parameter path: relative to the folder that the patterns are about.
  func contains(_ path: String) -> Bool {
    let names = path.split(separator: "/").map(String.init)
    return patterns.reduce(false) { decision, pattern in
      let fits = (1...max(names.count, 1)).contains { Self.fits(pattern.parts[...], names.prefix($0)) }
      return fits ? !pattern.isException : decision
    }
  }

  private static func fits(_ pattern: ArraySlice<String>, _ names: ArraySlice<String>) -> Bool {
    guard let first = pattern.first else { return names.isEmpty }
    let rest = pattern.dropFirst()
    if first == "**" {
      return (0...names.count).contains { fits(rest, names.dropFirst($0)) }
    }
    guard let name = names.first, fits(Array(first.unicodeScalars)[...], Array(name.unicodeScalars)[...]) else {
      return false
    }
    return fits(rest, names.dropFirst())
  }

  /// `*` and `?` within a name.
  private static func fits(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == "*" { return (0...text.count).contains { fits(pattern.dropFirst(), text.dropFirst($0)) } }
    guard let next = text.first, first == "?" || first == next else { return false }
    return fits(pattern.dropFirst(), text.dropFirst())
  }
}
