import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Exec: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command in a running service.",
    discussion:
      """
      Options end at the service's name. The command has the service's environment, and with a terminal your TERM unless the \
      service has one of its own. The exit code is the command's: 128+n after a signal, 127 when it is not there, 126 when it \
      cannot be executed.
      """
  )

  @Option(name: [.customShort("u"), .long], help: "The user, as name or uid, with :group.")
  var user: String?
  @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The working directory.", valueName: "folder"))
  var workdir: String?
  @Option(name: [.customShort("e"), .long], help: ArgumentHelp("An environment variable.", valueName: "name=value"))
  var env: [String] = []
  @Flag(name: [.customShort("T"), .long], help: "No terminal, even when standard input is one.")
  var noTty = false
  @Flag(name: [.customShort("t"), .customLong("tty")], help: .hidden)
  var tty = false
  @Flag(name: [.customShort("i"), .customLong("interactive")], help: .hidden)
  var interactive = false
  @Flag(help: "All of root's capabilities, whatever the service has.")
  var privileged = false
  @Flag(name: [.customShort("d"), .long], help: "Leave it running, with neither input nor output, and return at once.")
  var detach = false
  @Option(help: ArgumentHelp("Which replica of the service: the first, if none is named.", valueName: "number"))
  var index: Int?
  @OptionGroup var stack: StackOptions
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The service, then the command with its arguments.", valueName: "service command"))
  var words: [String]

  func run() throws {
    // What comes first is taken as the service, whatever it looks like.
    let words = words.first == "--" ? Array(words.dropFirst()) : words
    if let first = words.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
    guard words.count > 1 else { throw ValidationError("say which service and what to run: stack exec web1 ls /") }
    try Session.run(needsRoot: true) { session in
      let place = try session.commands.index.find(words[0], replica: index, in: stack.stack)
      var options = StackCommands.ExecOptions()
      options.user = user
      options.workingDirectory = workdir
      options.environment = env
      options.wantsTerminal = !noTty
      options.isPrivileged = privileged
      options.isDetached = detach
      let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
      throw ExitCode(
        try session.commands.exec(
          Array(words.dropFirst()), in: place, options, isTerminal: isTerminal,
          complain: { standardError("error: ", $0) }))
    }
  }
}
