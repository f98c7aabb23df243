import Glibc
import Testing
@testable import Kernel

/// Text that is compared with a file in Golden/.
///
/// After a change that is meant, `STACK_REWRITE_GOLDEN=1 swift test --filter OrchestratorTests` writes the files anew:
/// read their diff before it is committed.
enum Golden {
  private static let folder = sourceFolder(#filePath, up: 2) + "/Golden"

  static func expect(
    _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expect(text, file: "\(folder)/\(name)", sourceLocation: sourceLocation)
  }

  static func expect(
    _ text: String, file path: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    if getenv("STACK_REWRITE_GOLDEN") != nil {
      try Files.overwrite(path, with: Array(text.utf8), mode: [.ownerReadWrite, .groupRead, .otherRead])
      return
    }
    let expected = String(decoding: try Files.read(path) ?? [], as: UTF8.self)
    let difference = firstDifference(expected, text)
    #expect(
      difference == nil, "\(path) is not as expected; see Golden.swift to rewrite it", sourceLocation: sourceLocation)
  }

  private static func firstDifference(_ expected: String, _ actual: String) -> String? {
    let lines = (
      expected.split(separator: "\n", omittingEmptySubsequences: false),
      actual.split(separator: "\n", omittingEmptySubsequences: false)
    )
    for index in 0..<max(lines.0.count, lines.1.count) {
      let pair = (index < lines.0.count ? lines.0[index] : nil, index < lines.1.count ? lines.1[index] : nil)
      if pair.0 != pair.1 { return "line \(index + 1): expected \(pair.0 ?? "the end"), got \(pair.1 ?? "the end")" }
    }
    return nil
  }
}

/// The folder that is so many levels above a source file.
func sourceFolder(_ path: String, up levels: Int) -> String {
  path.split(separator: "/").dropLast(levels).reduce("") { "\($0)/\($1)" }
}
