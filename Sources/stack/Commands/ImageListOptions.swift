import ArgumentParser
import FoundationEssentials
import Glibc
import ImageReference
import Orchestrator

/// The options of lists of images.
struct ImageListOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(help: ArgumentHelp("A name, with a tag or without: only these images.", valueName: "name"))
  var name: String?
  @Flag(name: [.short, .long], help: "Accepted for compatibility with Docker. All images are listed.")
  var all = false
  @Option(
    name: [.customShort("f"), .customLong("filter")],
    help: ArgumentHelp("Only these: dangling=true or false, reference=name with * and ?.", valueName: "key=value"))
  var filters: [String] = []
  @Flag(name: [.short, .long], help: "Print only ids.")
  var quiet = false
  @Flag(help: "Print whole ids.")
  var noTrunc = false
  @Flag(help: "Print digests too.")
  var digests = false
  @Option(help: "Style of the list.")
  var format = Format.table

  func validate() throws {
    for filter in filters {
      let key = filter.prefix { $0 != "=" }
      guard ["dangling", "reference"].contains(key), filter.contains("=") else {
        throw ValidationError("--filter takes dangling=… or reference=…, not \(filter)")
      }
    }
  }

  /// True if a row is one of those that are asked for.
  private func isMeant(_ row: Row) -> Bool {
    if let name {
      let wanted = try? ImageReference(name)
      let hasTag = name.split(separator: "/").last?.contains(":") == true
      guard row.repository == wanted?.familiarRepository, !hasTag || row.tag == wanted?.tag else { return false }
    }
    return filters.allSatisfy { filter in
      let value = String(filter.drop { $0 != "=" }.dropFirst())
      guard filter.hasPrefix("reference=") else { return (row.tag == "<none>") == (value == "true") }
      let names = [row.repository, "\(row.repository):\(row.tag)"]
      return names.contains { fnmatch(value, $0, FNM_PATHNAME) == 0 }
    }
  }

  func show() throws {
    try Session.run(needsRoot: true) { session in
      let rows = try ImageCommand(session.context).imageStatuses().flatMap(rows).filter(isMeant)
      if quiet {
        var seen: Set<String> = []
        for row in rows where seen.insert(row.id).inserted { print(row.id) }
      } else if format == .json {
        for row in rows { print(row.json) }
      } else {
        let header = ["REPOSITORY", "TAG"] + (digests ? ["DIGEST"] : []) + ["IMAGE ID", "CREATED", "SIZE"]
        print(Table.text([header] + rows.map { $0.cells(withDigest: digests) }), terminator: "")
      }
    }
  }

  private func rows(of image: ImageCommand.ImageStatus) -> [Row] {
    let configuration = image.record.configuration
    let id = noTrunc ? "\(configuration)" : configuration.short
    let names = image.names.map { name -> (String, String, String) in
      guard let reference = try? ImageReference(name.name) else { return (name.name, "<none>", "\(name.digest)") }
      return (reference.familiarRepository, reference.tag ?? "<none>", "\(name.digest)")
    }
    return (names.isEmpty ? [("<none>", "<none>", "<none>")] : names).map { repository, tag, digest in
      Row(
        repository: repository, tag: tag, digest: digest, id: id, created: image.record.created ?? "",
        size: image.record.size)
    }
  }

  private struct Row {
    var repository: String
    var tag: String
    var digest: String
    var id: String
    var created: String
    var size: Int64

    func cells(withDigest: Bool) -> [String] {
      [repository, tag] + (withDigest ? [digest] : []) + [id, age, DecimalSize.text(size)]
    }

    private var age: String { Age.text(since: created) }

    /// With Docker's keys. What it leaves out of a list is N/A there, too.
    var json: String {
      ImageListOptions.json([
        "Repository": repository, "Tag": tag, "Digest": digest, "ID": id, "CreatedAt": created, "CreatedSince": age,
        "Size": DecimalSize.text(size), "VirtualSize": DecimalSize.text(size), "Containers": "N/A", "SharedSize": "N/A",
        "UniqueSize": "N/A",
      ])
    }
  }

  /// One object on a line.
  static func json(_ fields: [String: String]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts can always be encoded.
    return (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
