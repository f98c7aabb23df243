import ArgumentParser
import FoundationEssentials
import ImageReference
import Orchestrator

struct System: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "system", abstract: "The room that stacks and images take on this host.",
    discussion: """
      stack system df                     images, services, volumes and builds
      stack system df -v                  each of them
      stack system prune                  remove what nothing needs
      """,
    subcommands: [DiskFree.self, Prune.self])

  struct DiskFree: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "df", abstract: "Show how much room images, services, volumes and builds take on disk.",
      discussion: """
        A container is a service, and its size is what it wrote beside volumes. RECLAIMABLE is what no stack that is up \
        needs. The size of images is that of their layers, and of the archives that they came in, each once.
        """)

    static let fields = ["Type", "TotalCount", "Active", "Size", "Reclaimable"]

    @Flag(name: [.short, .long], help: "Show each image, service, volume and step of a build.")
    var verbose = false
    @Option(help: ArgumentHelp("table, json, or a template such as '{{.Type}}: {{.Size}}'.", valueName: "format"))
    var format = "table"

    func validate() throws {
      guard !verbose || ["table", "json"].contains(format) else {
        throw ValidationError("--verbose goes with --format table and json")
      }
      _ = try template()
    }

    private func template() throws -> OutputTemplate? {
      guard format != "table", format != "json" else { return nil }
      do {
        return try OutputTemplate(format, fields: Self.fields)
      } catch {
        throw ValidationError("--format: \(error.text)")
      }
    }

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let usage = try DiskCommand(session.context).usage()
        if verbose { return DiskDetails(usage).show(asJSON: format == "json") }
        let rows = usage.rows.map { row in
          [
            "Type": row.type, "TotalCount": "\(row.total)", "Active": "\(row.active)",
            "Size": DecimalSize.text(row.size), "Reclaimable": Self.reclaimable(row),
          ]
        }
        if let template = try template() {
          print(template.lines(rows.map { ($0, ImageListOptions.json($0)) }), terminator: "")
        } else if format == "json" {
          for row in rows { print(ImageListOptions.json(row)) }
        } else {
          let heading = ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
          print(Table.text([heading] + rows.map { row in Self.fields.map { row[$0] ?? "" } }), terminator: "")
        }
      }
    }

    /// With its share, as Docker has it; builds have none.
    static func reclaimable(_ row: DiskUsage.Row) -> String {
      let text = DecimalSize.text(row.reclaimable)
      guard row.size > 0, row.type != "Build Cache" else { return text }
      return "\(text) (\(row.reclaimable * 100 / row.size)%)"
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove what nothing needs: images without a name, and what builds keep.",
      discussion: """
        Of what builds keep, that which was not used for two weeks goes. With --all, every image goes that no stack runs \
        from, and all that builds keep. Volumes go with --volumes alone. `stack down` removes services.
        """)

    @Flag(name: [.short, .long], help: "Remove every image that no stack runs from, and all that builds keep.")
    var all = false
    @Flag(help: "Remove the volumes that no stack that is up has, with all that is in them.")
    var volumes = false
    @Flag(name: [.short, .long], help: "Do not ask.")
    var force = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let command = VolumeCommand(session.context)
        let idle = volumes ? try command.idle() : []
        if !force {
          let images = all ? "all images that no stack runs from" : "images without a name"
          let builds = all ? "all that builds keep" : "all that builds have not used for two weeks"
          let rest = idle.isEmpty ? "" : ", and the volumes \(idle.joined(separator: ", ")) with all that is in them"
          try Question(session.context).confirm("this removes \(images), and \(builds)\(rest).", or: "--force")
        }
        let images = ImageCommand(session.context)
        let usage = try DiskCommand(session.context).usage()
        for name in idle {
          try command.remove(name)
          print("Deleted: \(name)")
        }
        // Steps first: an image that goes leaves its layers to them.
        var bytes = try images.pruneBuilds(olderThan: all ? nil : 14 * 86400) {
          standardError("", "waiting for a build or a pull to end")
        }
        let removal = try images.pruneImages(all: all)
        for image in removal.images { print("Deleted: \(image)") }
        bytes += removal.bytes + usage.volumes.filter { idle.contains($0.name) }.reduce(0) { $0 + $1.size }
        print("Total reclaimed space: \(DecimalSize.text(bytes))")
      }
    }
  }
}

/// The lists of `system df --verbose`, with Docker's headings and keys.
private struct DiskDetails {
  private let usage: DiskUsage

  init(_ usage: DiskUsage) { self.usage = usage }

  func show(asJSON: Bool) {
    let sections: [(name: String, title: String, headings: [(key: String, title: String)], rows: [[String]])] = [
      ("Images", "Images space usage:", Self.imageColumns, usage.images.flatMap(Self.rows)),
      ("Containers", "Containers space usage:", Self.serviceColumns, usage.services.map(Self.row)),
      ("Volumes", "Local Volumes space usage:", Self.volumeColumns, usage.volumes.map(Self.row)),
      (
        "BuildCache", "Build cache usage: \(DecimalSize.text(usage.rows.last?.size ?? 0))", Self.stepColumns,
        usage.buildSteps.map(Self.row)
      ),
    ]
    guard asJSON else {
      let texts = sections.map { section in
        "\(section.title)\n\n" + Table.text([section.headings.map(\.title)] + section.rows)
      }
      return print(texts.joined(separator: "\n"), terminator: "")
    }
    let lists = sections.map { section in
      let objects = section.rows.map { row in
        ImageListOptions.json(Dictionary(uniqueKeysWithValues: zip(section.headings.map(\.key), row)))
      }
      return "\"\(section.name)\":[\(objects.joined(separator: ","))]"
    }
    print("{\(lists.joined(separator: ","))}")
  }

  private static let imageColumns = [
    ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("Size", "SIZE"),
    ("SharedSize", "SHARED SIZE"), ("UniqueSize", "UNIQUE SIZE"), ("Containers", "CONTAINERS"),
  ]

  private static func rows(_ image: DiskUsage.Image) -> [[String]] {
    let id = image.id.split(separator: ":").last.map { String($0.prefix(12)) } ?? ""
    let rest = [
      id, Age.text(since: image.created), DecimalSize.text(image.size), DecimalSize.text(image.sharedSize),
      DecimalSize.text(image.size - image.sharedSize), "\(image.services)",
    ]
    let names = image.names.map { name -> [String] in
      guard let reference = try? ImageReference(name) else { return [name, "<none>"] }
      return [reference.familiarRepository, reference.tag ?? "<none>"]
    }
    return (names.isEmpty ? [["<none>", "<none>"]] : names).map { $0 + rest }
  }

  private static let serviceColumns = [
    ("Names", "NAMES"), ("Image", "IMAGE"), ("LocalVolumes", "LOCAL VOLUMES"), ("Size", "SIZE"), ("State", "STATE"),
  ]

  private static func row(_ service: DiskUsage.Service) -> [String] {
    [
      "\(service.stack)/\(service.name)", service.image.isEmpty ? "-" : service.image, "\(service.volumes)",
      DecimalSize.text(service.size), service.state,
    ]
  }

  private static let volumeColumns = [("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")]

  private static func row(_ volume: DiskUsage.Volume) -> [String] {
    [volume.name, "\(volume.users)", DecimalSize.text(volume.size)]
  }

  private static let stepColumns = [
    ("ID", "CACHE ID"), ("CacheType", "CACHE TYPE"), ("Size", "SIZE"), ("CreatedSince", "CREATED"),
    ("LastUsedSince", "LAST USED"), ("Shared", "SHARED"), ("Description", "DESCRIPTION"),
  ]

  private static func row(_ step: DiskUsage.BuildStep) -> [String] {
    let used = Date(timeIntervalSince1970: Double(step.lastUsed)).formatted(.iso8601)
    return [
      step.id, step.isCache ? "exec.cachemount" : "regular", DecimalSize.text(step.size),
      step.created.isEmpty ? "N/A" : Age.text(since: step.created), Age.text(since: used),
      step.isShared ? "true" : "false", step.text.count <= 45 ? step.text : "\(step.text.prefix(44))…",
    ]
  }
}
