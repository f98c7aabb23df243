import ArgumentParser
import Glibc
import Orchestrator

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run one command in an instance of a service that is made for it.",
    discussion: """
      stack run web sh                          a shell, with what web depends on
      stack run --rm web npm test               and remove the instance afterwards
      stack run --rm -T db psql <dump.sql       with input from a file
      stack run --no-deps --entrypoint id web   another program, alone

      Options of `stack` come before the name of the service. The instance
      publishes no ports without -P or -p, is not restarted, and has no health
      check. Its process 1 is stack-init, which waits; the command runs beside
      it. With -d the command is its process, and `logs` shows its output.

      The exit code is that of the command.
      """)

  @OptionGroup var options: LetteredProjectOptions<LettersWithoutName>
  @Flag(name: .customLong("rm"), help: "Remove the instance when the command has ended.")
  var removes = false
  @Option(
    name: [.customShort("e", allowingJoined: true), .long],
    help: ArgumentHelp("An environment variable.", valueName: "name=value"))
  var env: [String] = []
  @Option(help: ArgumentHelp("A file of environment variables.", valueName: "file"), completion: .file())
  var envFromFile: [String] = []
  @Option(
    name: [.customShort("v", allowingJoined: true), .long],
    help: ArgumentHelp("A further mount.", valueName: "source:target"))
  var volume: [String] = []
  @Option(
    name: [.customShort("u", allowingJoined: true), .long], help: "The user, by name or uid, optionally with :group.")
  var user: String?
  @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The working directory.", valueName: "folder"))
  var workdir: String?
  @Option(help: ArgumentHelp("A program in place of the service's entrypoint and command.", valueName: "program"))
  var entrypoint: String?
  @Flag(help: "Do not start what the service depends on.")
  var noDeps = false
  @Flag(name: [.customShort("P"), .customLong("service-ports")], help: "Publish the service's ports.")
  var servicePorts = false
  @Option(
    name: [.customShort("p", allowingJoined: true), .long],
    help: ArgumentHelp("Publish a port.", valueName: "host:container"))
  var publish: [String] = []
  @Flag(
    name: [.customShort("T"), .customLong("no-TTY"), .customLong("no-tty")],
    help: "Allocate no terminal, even if standard input is one.")
  var noTty = false
  @Flag(name: [.customShort("i"), .long], help: .hidden)
  var interactive = false
  @Flag(name: [.customShort("t"), .long], help: .hidden)
  var tty = false
  @Flag(name: [.customShort("d"), .long], help: "Run in the background, and print the instance's name.")
  var detach = false
  @Option(help: ArgumentHelp("The instance's name.", valueName: "name"))
  var name: String?
  @Flag(help: "Let others find the instance by the service's further names.")
  var useAliases = false
  @Option(name: [.customShort("l"), .long], help: ArgumentHelp("A label.", valueName: "name=value"))
  var label: [String] = []
  @Option(help: ArgumentHelp("A capability to add.", valueName: "name"))
  var capAdd: [String] = []
  @Option(help: ArgumentHelp("A capability to drop.", valueName: "name"))
  var capDrop: [String] = []
  @Option(help: ArgumentHelp("When images are fetched: missing, always or never.", valueName: "when"))
  var pull: PullPolicy?
  @Flag(help: "Say nothing of how far images have come.")
  var quietPull = false
  @OptionGroup var builds: BuildOptions
  @Flag(name: [.short, .long], help: "Say nothing of what is started.")
  var quiet = false
  @Flag(help: "Accepted for compatibility with Compose. `up` removes orphans.")
  var removeOrphans = false
  @OptionGroup var progress: ProgressOptions
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The service, then the command with its arguments.", valueName: "service command"),
    completion: Completions.services)
  var words: [String]

  func run() throws {
    let words = words.first == "--" ? Array(words.dropFirst()) : words
    if let first = words.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
    guard let service = words.first else { throw ValidationError("say in which service: stack run web sh") }
    guard !service.hasPrefix("-") else {
      throw ValidationError(AbsentOption.refusal(of: service, in: "run") ?? "run has no option \(service)")
    }
    guard !detach || !removes else {
      throw ValidationError("--rm does not go with -d: remove the instance when it has ended, with stack rm")
    }
    try Session.run(needsRoot: true, errors: progress.errorStyle) { session in
      let session = try session.taking(options.project)
      let command = RunCommand(session.context)
      let wishes = wishes(Array(words.dropFirst()))
      let request = command.request(options.project.loadRequest(), service: service, wishes)
      let loaded = try session.load(request)
      let instance = request.services.first ?? service
      let printer = ProgressPrinter(progress, stack: loaded.name, isQuiet: quiet)
      let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
      let code = try builds.showing(loaded, progress, wishes.up) { up in
        var wishes = wishes
        wishes.up = up
        return try command.run(
          loaded, instance, wishes, isTerminal: isTerminal, complain: { standardError("error: ", $0) },
          report: { printer.show($0) }
        ) { last in try session.end(printer, last) }
      }
      if detach { print(instance) }
      throw ExitCode(code)
    }
  }

  private func wishes(_ command: [String]) -> RunCommand.Options {
    var wishes = RunCommand.Options()
    (wishes.command, wishes.entrypoint, wishes.name) = (command, entrypoint, name)
    (wishes.environment, wishes.environmentFiles, wishes.labels) = (env, envFromFile, label)
    (wishes.volumes, wishes.published, wishes.publishesServicePorts) = (volume, publish, servicePorts)
    (wishes.user, wishes.workingDirectory, wishes.usesAliases) = (user, workdir, useAliases)
    (wishes.addedCapabilities, wishes.droppedCapabilities) = (capAdd, capDrop)
    (wishes.startsDependencies, wishes.isDetached, wishes.isRemovedAfterwards) = (!noDeps, detach, removes)
    wishes.wantsTerminal = !noTty
    wishes.up.pull.policy = pull?.policy
    wishes.up.pull.showsProgress = !quietPull
    return wishes
  }
}
