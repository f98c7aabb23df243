import ArgumentParser
import BuildExecutor
import ImageReference
import Kernel
import Orchestrator
import SystemPackage
import Vocabulary

struct Build: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build images from Dockerfiles.",
    discussion: """
      stack build                   all services of this folder's file
      stack build web               that of one service
      stack build -t shop/web:1 .   a folder with a Dockerfile, without a stack
      stack build -t x -f web.df .  another Dockerfile; - reads standard input
      stack build --dry-run         what would be done, and why
      stack build prune             remove what builds did not use for two weeks

      A step is done again only if something that it depends on has changed.
      """, subcommands: [Make.self, Prune.self], defaultSubcommand: Make.self)

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune", abstract: "Remove what steps of builds have made and no image needs, and their caches.",
      discussion: "What was used within two weeks stays. With --all, nothing does.")

    @Flag(name: [.short, .long], help: "Remove all of it.")
    var all = false
    @Flag(name: [.short, .long], help: "Accepted for compatibility with Docker. Nothing is asked.")
    var force = false
    @Option(help: ArgumentHelp("Keep what was used since, as 24h or 7d. Default: 14d.", valueName: "duration"))
    var keep: String?

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let age = try keep.map { text in
          guard let seconds = Self.seconds(text) else { throw ValidationError("--keep takes 24h or 7d, not \(text)") }
          return seconds
        }
        let bytes = try ImageCommand(session.context).pruneBuilds(olderThan: all ? nil : age ?? 14 * 86400) {
          standardError("", "waiting for a build or a pull to end")
        }
        print("Total reclaimed space: \(DecimalSize.text(bytes))")
      }
    }

    private static func seconds(_ text: String) -> Int64? {
      let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400]
      guard let last = text.last, let unit = units[last], let count = Int64(text.dropLast()), count >= 0 else {
        return nil
      }
      return count.multipliedReportingOverflow(by: unit).overflow ? nil : count * unit
    }
  }

  struct Make: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "make", abstract: "Build images from Dockerfiles.", shouldDisplay: false)

    @Argument(
      help: ArgumentHelp("Services. With --tag: the folder to build.", valueName: "name"),
      completion: Completions.builds)
    var names: [String] = []
    /// With --tag, the file is the Dockerfile, from the working folder.
    @OptionGroup var options: ProjectOptions
    @Option(
      name: [.short, .long],
      help: ArgumentHelp(
        "The image's name, for a folder without a stack file. --file is its Dockerfile.", valueName: "name"))
    var tag: [String] = []
    @Option(help: ArgumentHelp("A value for an ARG. Without =value: that of the environment.", valueName: "name=value"))
    var buildArg: [String] = []
    @Option(help: ArgumentHelp("The stage to build. Default: the last.", valueName: "stage"))
    var target: String?
    @Option(help: ArgumentHelp("A label of the image.", valueName: "name=value"))
    var label: [String] = []
    @Option(
      help: ArgumentHelp("A secret of RUN --mount=type=secret: id=…,src=FILE or env=NAME.", valueName: "secret"))
    var secret: [String] = []
    @Option(
      help: ArgumentHelp("The network of RUN: default, none, host, or a network of a stack.", valueName: "network"))
    var network: String?
    @Option(help: ArgumentHelp("A further line of /etc/hosts of RUN.", valueName: "name:address"))
    var addHost: [String] = []
    @Option(
      help: ArgumentHelp("A further context: name=FOLDER or name=docker-image://IMAGE.", valueName: "name=context"))
    var buildContext: [String] = []
    @Flag(help: "Do every step anew.")
    var noCache = false
    @Flag(help: "Fetch the images of FROM, though they are here.")
    var pull = false
    @Flag(help: "Say which steps would be done, and why the first of them is. Nothing is built.")
    var dryRun = false
    @Flag(name: [.short, .long], help: "Print only the image's id.")
    var quiet = false
    @Flag(help: "Then bring the images into their registries.")
    var push = false
    @Flag(name: [.customLong("no-rm"), .customLong("force-rm"), .long], help: .hidden)
    var compress = false
    @Flag(help: .hidden)
    var parallel = false
    @Flag(help: "Build what the services depend on, too.")
    var withDependencies = false
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
      let onlyWithTag: [(String, Bool)] = [
        ("--label", label.isEmpty), ("--secret", secret.isEmpty), ("--add-host", addHost.isEmpty),
        ("--build-context", buildContext.isEmpty), ("--target", target == nil), ("--network", network == nil),
      ]
      guard tag.isEmpty, let option = onlyWithTag.first(where: { !$0.1 })?.0 else { return }
      throw ValidationError("\(option) goes with --tag: for a service, write it under build: in the file")
    }

    func run() throws {
      try Session.run(needsRoot: true) { session in
        let orders = tag.isEmpty ? try orders(in: session) : [try order(in: session)]
        let style = quiet ? .quiet : BuildPrinter.style(progress.progress)
        let printer = BuildPrinter(style, namesImages: orders.count > 1)
        defer { printer.end() }
        let built = try BuildCommand(session.context).build(orders) {
          printer.show($0)
        } meanwhile: {
          printer.tick()
        }
        printer.end()
        guard let built else {
          standardError("", "cancelled: what was built is kept")
          throw ExitCode(130)
        }
        for one in built { print(quiet ? "\(one.record.configuration)" : Self.line(one)) }
        guard push else { return }
        for name in built.flatMap(\.names) {
          _ = try ImageCommand(session.context).pushImage(name.familiar) { _ in }
          print("\(name.familiar): pushed")
        }
      }
    }

    // MARK: Services

    private func orders(in session: Session) throws -> [BuildCommand.Order] {
      var request = options.project.loadRequest(nil)
      (request.services, request.includesDependencies) = (names, withDependencies)
      let loaded = try session.taking(options.project).load(request)
      var options = BuildCommand.ServiceOptions()
      options.arguments = try Self.pairs(buildArg, option: "--build-arg", inherits: true)
      (options.usesCache, options.pulls, options.isDry) = (!noCache, pull, dryRun)
      let orders = try BuildCommand(session.context).orders(of: loaded, options)
      if orders.isEmpty, !quiet { standardError("", "\(loaded.name): no service has build:") }
      return orders
    }

    private static func line(_ built: BuildCommand.Built) -> String {
      let names = built.names.isEmpty ? built.image : built.names.map(\.familiar).joined(separator: ", ")
      return "\(names): built (\(built.record.configuration))"
    }

    // MARK: Without a stack file

    private func order(in session: Session) throws -> BuildCommand.Order {
      guard names.count <= 1, options.files.count <= 1 else { throw ValidationError("with --tag, name one folder") }
      let references = try tag.map { text in
        do {
          return try ImageReference(text)
        } catch {
          throw ValidationError("--tag: \(error)")
        }
      }
      var order = BuildCommand.Order(
        image: references.first?.familiar ?? names.first ?? ".", context: names.first ?? ".")
      order.names = references
      if let file = options.files.first {
        if file == "-" {
          order.inline = try Self.standardInput()
        } else {
          order.dockerfile = file.hasPrefix("/") ? file : "\(Caller.workingFolder)/\(file)"
        }
      }
      order.target = target
      order.arguments = try Self.pairs(buildArg, option: "--build-arg", inherits: true)
      order.labels = try Self.pairs(label, option: "--label", inherits: false)
      order.extraHosts = try addHost.map(Self.host)
      for (name, value) in try Self.pairs(buildContext, option: "--build-context", inherits: false) {
        let image = "docker-image://"
        order.contexts[name.lowercased()] =
          value.hasPrefix(image)
          ? .image(String(value.dropFirst(image.count))) : .folder(value)
      }
      for text in secret {
        let (id, value) = try Self.secret(text)
        order.secrets[id] = value
      }
      order.network = Self.network(network)
      (order.usesCache, order.pulls, order.isDry) = (!noCache, pull, dryRun)
      return order
    }

    /// A Dockerfile that another program writes.
    private static func standardInput() throws -> String {
      do throws(Errno) {
        return String(decoding: try FileDescriptor.standardInput.readAll(limit: 8 << 20), as: UTF8.self)
      } catch {
        throw ValidationError("cannot read the Dockerfile from standard input: \(error)")
      }
    }

    static func network(_ text: String?) -> StepNetwork {
      switch text {
      case nil, "default": .standard
      case "none": .none
      case "host": .host
      case let name?: .named(name)
      }
    }

    /// - Parameter inherits: whether a name without a value has that of the environment, or counts for nothing.
    static func pairs(_ texts: [String], option: String, inherits: Bool) throws -> [String: String] {
      var pairs: [String: String] = [:]
      for text in texts {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !parts[0].isEmpty, parts.count == 2 || inherits else {
          throw ValidationError("\(option) takes name=value, not \(text)")
        }
        pairs[parts[0]] = parts.count == 2 ? parts[1] : Caller.environment[parts[0]]
      }
      return pairs
    }

    private static func host(_ text: String) throws -> String {
      guard let separator = text.firstIndex(where: { $0 == "=" || $0 == ":" }), separator > text.startIndex else {
        throw ValidationError("--add-host takes name:address, not \(text)")
      }
      return "\(text[..<separator])=\(text[text.index(after: separator)...])"
    }

    private static func secret(_ text: String) throws -> (id: String, value: [UInt8]) {
      var fields: [String: String] = [:]
      for part in text.split(separator: ",") {
        let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
        fields[pair[0]] = pair.count == 2 ? pair[1] : ""
      }
      guard let id = fields["id"], !id.isEmpty else {
        throw ValidationError("--secret takes id=…,src=FILE, not \(text)")
      }
      if let path = fields["src"] ?? fields["source"] {
        guard let bytes = try Files.read(path, limit: 500 << 10) else {
          throw ValidationError("--secret \(id): there is no file \(path)")
        }
        return (id, bytes)
      }
      let name = fields["env"] ?? id
      guard let value = Caller.environment[name] else {
        throw ValidationError("--secret \(id): name a file, src=FILE, or a variable that is set, env=NAME")
      }
      return (id, Array(value.utf8))
    }
  }
}
