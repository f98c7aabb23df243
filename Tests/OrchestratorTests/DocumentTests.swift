import Glibc
import Testing
@testable import Kernel

/// Links in documents lead somewhere, and the glossary names files that exist.
@Suite struct DocumentTests {
  static let root = sourceFolder(#filePath, up: 3)
  static let documents =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    + Files.list("\(root)/docs").sorted()
    .map { "docs/\($0)" }.filter { $0.hasSuffix(".md") }

  @Test(arguments: documents)
  func linksLeadSomewhere(_ document: String) throws {
    let text = try Self.text(document)
    for match in text.matches(of: /\]\((?<path>[^)#:\s]*)(?:#(?<heading>[^)\s]+))?\)/) {
      let path = match.path.isEmpty ? document : Self.resolved(String(match.path), from: document)
      #expect(Files.exists("\(Self.root)/\(path)"), "\(document): \(match.0)")
      guard let heading = match.heading, path.hasSuffix(".md") else { continue }
      #expect(Self.anchors(try Self.text(path)).contains(String(heading)), "\(document): \(match.0)")
    }
  }

  /// An entry ends with "See `Plan`, `tools/fuzz`.": a source file's name without its ending, or a path.
  @Test func theGlossaryNamesFilesThatExist() throws {
    let sources = Set(Self.names(under: "\(Self.root)/Sources") + Self.names(under: "\(Self.root)/Tests"))
    let entries = try Self.text("docs/glossary.md").split(separator: "\n\n").filter { $0.hasPrefix("**") }
    #expect(entries.count > 40)
    for entry in entries {
      let entry = entry.split(separator: "\n").joined(separator: " ")
      let place = try #require(entry.firstMatch(of: /See (?<names>`[^`]+`(?:, `[^`]+`)*)\.$/), "\(entry)")
      for name in place.names.split(separator: ", ").map({ $0.dropFirst().dropLast() }) {
        #expect(
          name.contains("/") ? Files.exists("\(Self.root)/\(name)") : sources.contains("\(name).swift"), "\(entry)")
      }
    }
  }

  /// Lines of sentences, which editors and reviews show whole. Tables and code cannot be broken.
  @Test(arguments: documents)
  func linesFitInto120Columns(_ document: String) throws {
    for (number, line) in try Self.text(document).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where line.count >= 120 && !line.hasPrefix("|") && !line.hasPrefix("    ") {
      Issue.record("\(document):\(number + 1) has \(line.count) columns")
    }
  }

  // MARK: -

  private static func text(_ document: String) throws -> String {
    String(decoding: try Files.read("\(root)/\(document)") ?? [], as: UTF8.self)
  }

  private static func resolved(_ path: String, from document: String) -> String {
    var parts = document.split(separator: "/").dropLast().map(String.init)
    for part in path.split(separator: "/") {
      if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
    }
    return parts.joined(separator: "/")
  }

  /// The anchors that GitHub gives to headings.
  private static func anchors(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
      heading.drop { $0 == "#" || $0 == " " }.lowercased().filter {
        $0.isLetter || $0.isNumber || $0 == "-" || $0 == " "
      }
      .map { $0 == " " ? "-" : String($0) }.joined()
    }
  }

  private static func names(under folder: String) -> [String] {
    Files.list(folder).flatMap { name in
      let inner = names(under: "\(folder)/\(name)")
      return inner.isEmpty ? [name] : inner
    }
  }
}
