import ArgumentParser
import Kernel
import Orchestrator

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
