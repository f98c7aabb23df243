import ArgumentParser
import Orchestrator

struct Volume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "volume", abstract: "Named volumes of this host.",
    discussion: """
      stack volume create data            a stack has it by
                                          volumes: {data: {external: true}}
      stack volume ls                     those of stacks are called stack_volume
      stack volume rm data
      """,
    subcommands: [Create.self, List.self, Inspect.self, Remove.self, Prune.self])

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a volume.")

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String
    @Option(name: [.short, .long], help: "The kind of volume.")
    var driver = Driver.local

    enum Driver: String, ExpressibleByArgument, CaseIterable { case local }

    func run() throws {
      try Session.run(needsRoot: true) { session in
        try VolumeCommand(session.context).create(name)
        print(name)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List the volumes of this host.", aliases: ["list"])

    @OptionGroup var listing: EntryListing

    func run() throws {
      try Session.run(needsRoot: true) { session in
        listing.show(try VolumeCommand(session.context).entries(), ["NAME", "STACK", "USED BY", "FOLDER"]) { entry in
          [
            entry.name, entry.stack ?? "-", entry.users.isEmpty ? "-" : entry.users.joined(separator: ", "),
            entry.folder,
          ]
        }
      }
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "Print what is known of volumes, with the stacks that have them.")

    @Argument(help: ArgumentHelp("Names.", valueName: "volume"), completion: Completions.hostVolumes)
    var names: [String]

    func run() throws {
      try Session.run(needsRoot: true) { session in print(try VolumeCommand(session.context).inspect(names)) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove volumes, with all that is in them.", aliases: ["remove"])

    @Argument(help: ArgumentHelp("Names.", valueName: "volume"), completion: Completions.hostVolumes)
    var names: [String]

    func run() throws {
      try Session.run(needsRoot: true) { session in
        for name in names {
          try VolumeCommand(session.context).remove(name)
          print(name)
        }
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove all volumes that no stack that is up has.")

    @Flag(name: [.short, .long], help: "Do not ask.")
    var force = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let command = VolumeCommand(session.context)
        let names = try command.idle()
        guard !names.isEmpty else { return }
        if !force {
          try Question(session.context).confirm(
            "this removes \(names.joined(separator: ", ")), with all that is in them.", or: "--force")
        }
        for name in names {
          try command.remove(name)
          print(name)
        }
      }
    }
  }
}
