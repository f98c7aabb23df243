import ArgumentParser
import FoundationEssentials
import Glibc
import ImageReference
import Kernel
import Orchestrator

struct Images: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "images", abstract: "List the images of this host.")

  @OptionGroup var list: ImageListOptions

  func run() throws { try list.show() }
}

struct Image: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "image", abstract: "Look at images and remove them.",
    subcommands: [List.self, Inspect.self, History.self, Remove.self, Prune.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List the images of this host.", aliases: ["list"])

    @OptionGroup var list: ImageListOptions

    func run() throws { try list.show() }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "Print what is known of images, as `docker image inspect` does.")

    @Argument(help: ArgumentHelp("Names, or beginnings of ids.", valueName: "image"), completion: Completions.images)
    var names: [String]
    @Flag(help: "Print the configuration as it came.")
    var raw = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let command = ImageCommand(session.context)
        guard raw else { return print(VisibleText.json(try command.inspectImages(names))) }
        for name in names {
          let configuration = try command.configuration(of: try command.image(name))
          print(VisibleText.json(String(decoding: configuration, as: UTF8.self)))
        }
      }
    }
  }

  struct History: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "history", abstract: "List what made each layer of an image.")

    @Argument(
      help: ArgumentHelp("A name, or the beginning of an id.", valueName: "image"), completion: Completions.images)
    var name: String
    @Flag(help: "Print whole commands and ids.")
    var noTrunc = false
    @Flag(name: [.short, .long], help: "Print only ids.")
    var quiet = false
    @Option(help: "Style of the list.")
    var format = ImageListOptions.Format.table

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let steps = try ImageCommand(session.context).history(of: name)
        let rows = steps.map { step in
          [
            step.image.map { noTrunc ? "\($0)" : $0.short } ?? "<missing>", Age.text(since: step.created),
            noTrunc || step.command.count <= 45 ? step.command : "\(step.command.prefix(44))…",
            DecimalSize.text(step.size), step.comment,
          ]
        }
        if quiet {
          for row in rows { print(row[0]) }
        } else if format == .json {
          for (step, row) in zip(steps, rows) {
            print(
              ImageListOptions.json([
                "ID": row[0], "CreatedAt": step.created, "CreatedSince": row[1], "CreatedBy": row[2], "Size": row[3],
                "Comment": row[4],
              ]))
          }
        } else {
          print(Table.text([["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]] + rows), terminator: "")
        }
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove images that no stack runs from.", aliases: ["remove"])

    @Argument(help: ArgumentHelp("Names, or beginnings of ids.", valueName: "image"), completion: Completions.images)
    var names: [String]
    @Flag(name: [.short, .long], help: "Remove an image with all of its names.")
    var force = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        for name in names {
          for line in try ImageCommand(session.context).removeImage(name, force: force) { print(line) }
        }
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove images without a name.",
      discussion: "With --all, every image that no stack runs from.")

    @Flag(name: [.short, .long], help: "Remove every image that no stack runs from.")
    var all = false
    @Flag(name: [.short, .long], help: "Accepted for compatibility with Docker. Nothing is asked.")
    var force = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let removal = try ImageCommand(session.context).pruneImages(all: all)
        for image in removal.images { print("Deleted: \(image)") }
        print("Total reclaimed space: \(DecimalSize.text(removal.bytes))")
      }
    }
  }
}

struct Commit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "commit", abstract: "Make what a service has written an image on top of its own.",
    discussion: """
      stack commit web shop/web:patched
      stack commit shop/db db:seeded --message 'with test data'

      Volumes are not part of it. The configuration stays that of the service's image.
      """)

  @Argument(help: "A service, or stack/service.", completion: Completions.services)
  var service: String
  @Argument(help: ArgumentHelp("The image's name.", valueName: "name"))
  var name: String
  @Option(name: [.short, .long], help: "Who made it.")
  var author: String?
  @Option(name: [.short, .long], help: "What it is for: a line of its history.")
  var message: String?
  @Flag(inversion: .prefixedNo, help: "Whether the service stands still meanwhile.")
  var pause = true
  @OptionGroup var options: LetteredProjectOptions<LettersWithoutName>

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      print(
        try ImageCommand(session.context).commit(
          service, in: session.stack, as: name, author: author, message: message, pauses: pause
        ) { _ in })
    }
  }
}

struct Tag: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tag", abstract: "Give an image another name.")

  @Argument(
    help: ArgumentHelp("A name, or the beginning of an id.", valueName: "image"), completion: Completions.images)
  var image: String
  @Argument(help: ArgumentHelp("The new name.", valueName: "name"))
  var name: String

  func run() throws {
    try Session.run(needsRoot: true) { session in try ImageCommand(session.context).tagImage(image, as: name) }
  }
}

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

/// The age of something in Docker's words.
enum Age {
  /// - Parameter text: RFC 3339, such as 2024-05-01T10:00:00.5Z.
  static func text(since text: String, now: Double = Date().timeIntervalSince1970) -> String {
    guard let then = seconds(text) else { return "N/A" }
    let units: [(name: String, seconds: Double)] = [
      ("year", 365 * 86400), ("month", 30 * 86400), ("week", 7 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60),
      ("second", 1),
    ]
    let passed = max(now - then, 0)
    // As Docker, two of a unit before it is used: 13 days, 2 weeks.
    let unit = units.first { passed >= 2 * $0.seconds } ?? ("second", 1)
    let count = Int(passed / unit.seconds)
    return "\(count) \(unit.name)\(count == 1 ? "" : "s") ago"
  }

  private static func seconds(_ text: String) -> Double? {
    // The fraction is of no use here, and has more digits than are read.
    let whole = text.split(separator: ".").first.map(String.init) ?? text
    let zoned = whole.hasSuffix("Z") || whole.dropFirst(19).contains { "+-".contains($0) } ? whole : whole + "Z"
    return (try? Date(zoned, strategy: .iso8601))?.timeIntervalSince1970
  }
}
