import ArgumentParser
import FoundationEssentials

/// The options of a list of networks or volumes, and the list itself.
struct EntryListing: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Flag(name: [.short, .long], help: "Print only names.")
  var quiet = false
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.table

  /// Prints entries as the options say.
  ///
  /// - Parameter row: the columns of an entry, the first of which is its name.
  func show<Entry: Encodable>(_ entries: [Entry], _ headings: [String], _ row: (Entry) -> [String]) {
    if quiet {
      for entry in entries { print(row(entry)[0]) }
    } else if format == .json {
      for entry in entries { print(Self.line(entry)) }
    } else {
      print(Table.text([headings] + entries.map(row)), terminator: "")
    }
  }

  private static func line(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
