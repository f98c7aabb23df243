import ArgumentParser
import Orchestrator

struct Network: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network", abstract: "Networks that stacks share.",
    discussion: """
      stack network create proxy          a stack joins it by
                                          networks: {proxy: {external: true}}
      stack network ls                    those of stacks, too
      stack network rm proxy

      One that was created lasts until it is removed. After a restart of the
      host, it comes up with the first stack that joins it.
      """,
    subcommands: [Create.self, List.self, Inspect.self, Remove.self, Prune.self])

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a network.")

    @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
    var name: String
    @Option(help: ArgumentHelp("Its addresses; one of IPv4 and one of IPv6.", valueName: "10.1.0.0/24"))
    var subnet: [String] = []
    @Option(help: ArgumentHelp("The host's own address in it.", valueName: "10.1.0.1"))
    var gateway: [String] = []
    @Option(help: ArgumentHelp("The part of the subnet to give addresses from.", valueName: "10.1.0.128/25"))
    var ipRange: String?
    @Flag(help: "No way out of the host.")
    var `internal` = false
    @Flag(help: "IPv6 beside IPv4.")
    var ipv6 = false
    @Option(help: ArgumentHelp("The largest packet in octets.", valueName: "1500"))
    var mtu: String?
    @Option(help: ArgumentHelp("A label.", valueName: "name=value"))
    var label: [String] = []
    @Option(name: [.short, .long], help: "The kind of network.")
    var driver = Driver.bridge
    @Flag(help: "Accepted for compatibility with Docker.")
    var attachable = false

    enum Driver: String, ExpressibleByArgument, CaseIterable { case bridge }

    func run() throws {
      try Session.run(needsRoot: true) { session in
        var options = NetworkCommand.Options()
        (options.subnets, options.gateways, options.range) = (subnet, gateway, ipRange)
        (options.isInternal, options.hasIPv6, options.mtu, options.labels) = (`internal`, ipv6, mtu, label)
        try NetworkCommand(session.context).create(name, options)
        print(name)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "ls", abstract: "List the networks of this host.", aliases: ["list"])

    @OptionGroup var listing: EntryListing

    func run() throws {
      try Session.run(needsRoot: true) { session in
        listing.show(
          try NetworkCommand(session.context).entries(), ["NAME", "DRIVER", "STACK", "SUBNET", "SERVICES"]
        ) { entry in
          [entry.name, entry.driver, entry.isCreated ? "-" : entry.stack, entry.subnet, "\(entry.services.count)"]
        }
      }
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "Print what is known of networks, with the services on them.")

    @Argument(help: ArgumentHelp("Names.", valueName: "network"), completion: Completions.hostNetworks)
    var names: [String]

    func run() throws {
      try Session.run(needsRoot: true) { session in print(try NetworkCommand(session.context).inspect(names)) }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove networks that were created.", aliases: ["remove"])

    @Argument(help: ArgumentHelp("Names.", valueName: "network"), completion: Completions.hostNetworks)
    var names: [String]

    func run() throws {
      try Session.run(needsRoot: true) { session in
        for name in names {
          try NetworkCommand(session.context).remove(name)
          print(name)
        }
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove all networks that were created and that no service is on.")

    @Flag(name: [.short, .long], help: "Do not ask.")
    var force = false

    func run() throws {
      try Session.run(needsRoot: true) { session in
        if !force {
          try Question(session.context).confirm(
            "this removes all created networks that no service is on.", or: "--force")
        }
        for name in try NetworkCommand(session.context).prune() { print(name) }
      }
    }
  }
}
