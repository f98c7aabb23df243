import Foundation
import Testing
@testable import StackFiles

/// docs/compose.md names every key that is read, accepted or refused, and says which.
@Suite struct ComposeDocumentTests {
  private static func handling<Target>(_ table: KeyTable<Target>) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: table.keys.map { key in
        switch key.handling {
        case .read: (key.name, "read")
        case .ignored: (key.name, "note")
        case .notSupported: (key.name, "no")
        }
      })
  }

  private static let tables: [(section: String, keys: [String: String])] = [
    ("The stack", handling(StackKeys.table)), ("Services", handling(ServiceKeys.table)),
    ("deploy", handling(ServiceKeys.deploy)), ("Networks", handling(NetworkKeys.table)),
    ("A service's networks", handling(Field.attachmentKeys)), ("Volumes", handling(VolumeKeys.table)),
    ("Secrets and configs", handling(FileSourceKeys.configs)),
  ]

  /// The rows of the table under a heading: each key with the word beside it.
  private static func rows(of section: String, in text: String) -> [String: String] {
    var rows: [String: String] = [:]
    var isHere = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("#") { isHere = line.drop { $0 == "#" || $0 == " " } == section }
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
      guard isHere, cells.count >= 4, cells[1].contains("`") else { continue }
      let word = cells[2].trimmingCharacters(in: .whitespaces)
      for name in cells[1].split(separator: "`").enumerated() where name.offset % 2 == 1 {
        rows[String(name.element)] = ["works", "differs", "own"].contains(word) ? "read" : word
      }
    }
    return rows
  }

  @Test(arguments: tables.map(\.section)) func namesEachKey(_ section: String) throws {
    let path = sourceFolder(#filePath, up: 4) + "/docs/compose.md"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let keys = try #require(Self.tables.first { $0.section == section }).keys
    let rows = Self.rows(of: section, in: text)
    #expect(Set(keys.keys).subtracting(rows.keys) == [], "missing in docs/compose.md")
    #expect(Set(rows.keys).subtracting(keys.keys) == [], "in docs/compose.md, and no key")
    for (name, handling) in keys { #expect(rows[name] == handling, "\(name)") }
  }
}
