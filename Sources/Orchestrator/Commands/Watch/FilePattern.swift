import Vocabulary

/// Patterns of files as .dockerignore(5) has them: `*.log`, `node_modules/`, `**/tmp`, `!keep.log`.
struct FilePatterns: Sendable {
  private struct Pattern: Sendable {
    var parts: [[Unicode.Scalar]]
    var isException: Bool
  }

  private let patterns: [Pattern]

  init(_ texts: [String]) {
    patterns = texts.compactMap { text in
      let isException = text.hasPrefix("!")
      let parts = (isException ? text.dropFirst() : text[...]).split(separator: "/").map(String.init)
        .filter { $0 != "." }.map { Array($0.unicodeScalars) }
      return parts.isEmpty ? nil : Pattern(parts: parts, isException: isException)
    }
  }

  var isEmpty: Bool { patterns.isEmpty }

  /// True if a path, or a folder above it, is one of the files. The last pattern that fits decides.
  ///
  /// - Parameter path: relative to the folder that the patterns are about.
  func contains(_ path: String) -> Bool {
    let names = path.split(separator: "/").map { Array($0.unicodeScalars) }
    return patterns.reduce(false) { decision, pattern in
      let fits = (1...max(names.count, 1)).contains { Self.fits(pattern.parts, Array(names.prefix($0))) }
      return fits ? !pattern.isException : decision
    }
  }

  private static func fits(_ pattern: [[Unicode.Scalar]], _ names: [[Unicode.Scalar]]) -> Bool {
    Wildcards.match(pattern, names, isMany: { $0 == ["*", "*"] }, fits: Self.fitsName)
  }

  private static func fitsName(_ pattern: [Unicode.Scalar], _ name: [Unicode.Scalar]) -> Bool {
    Wildcards.match(pattern, name, isMany: { $0 == "*" }, fits: { $0 == "?" || $0 == $1 })
  }
}
