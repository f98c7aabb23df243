import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Exec: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command in a running service.",
    discussion: """
      stack exec web1 sh                               a shell
      stack exec web1 curl -s db:8080/health           one service asks another
      stack exec -u www-data -w /srv web1 ls -l        another user, a folder
      stack exec -T web1 tar -c /var/log >logs.tar     without a terminal

      Options of `stack` come before the name of the service.
      The command has the environment of the service. On a terminal, TERM is
      yours unless the service sets it.

      The exit code is that of the command: 128+n after signal n, 127 if the
      command is not found, 126 if it cannot be executed.
      """)

  @Option(
    name: [.customShort("u", allowingJoined: true), .long], help: "The user, by name or uid, optionally with :group.")
  var user: String?
  @Option(name: [.customShort("w"), .long], help: ArgumentHelp("The working directory.", valueName: "folder"))
  var workdir: String?
  @Option(
    name: [.customShort("e", allowingJoined: true), .long],
    help: ArgumentHelp("An environment variable.", valueName: "name=value"))
  var env: [String] = []
  @Flag(name: [.customShort("T"), .long], help: "Allocate no terminal, even if standard input is one.")
  var noTty = false
  @Flag(name: [.customShort("t"), .customLong("tty")], help: .hidden)
  var tty = false
  @Flag(name: [.customShort("i"), .customLong("interactive")], help: .hidden)
  var interactive = false
  @Flag(help: "Grant all capabilities of root.")
  var privileged = false
  @Flag(name: [.customShort("d"), .long], help: "Run in the background, without input and output, and return at once.")
  var detach = false
  @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
  var index: Int?
  @OptionGroup var options: ProjectOptions
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The service, then the command with its arguments.", valueName: "service command"),
    completion: Completions.services)
  var words: [String]

  func run() throws {
    // The first word is the service, whatever it looks like.
    var words = words.first == "--" ? Array(words.dropFirst()) : words
    // What Compose's users write before the command: exec web -- ls.
    if words.count > 2, words[1] == "--" { words.remove(at: 1) }
    if let first = words.first, ["-h", "--help"].contains(first) { throw CleanExit.helpRequest(self) }
    guard words.count > 1 else { throw ValidationError("say which service and what to run: stack exec web1 ls /") }
    try env.checkNames()
    try Session.run(needsRoot: true, in: options.project) { session in
      let place = try session.context.index.find(words[0], replica: index, in: session.stack)
      var options = ExecCommand.Options()
      options.user = user
      options.workingDirectory = workdir
      options.environment = env
      options.wantsTerminal = !noTty
      options.isPrivileged = privileged
      options.isDetached = detach
      let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
      throw ExitCode(
        try ExecCommand(session.context).run(
          Array(words.dropFirst()), in: place, options, isTerminal: isTerminal,
          complain: { standardError("error: ", $0) }))
    }
  }
}

extension [String] {
  /// Values of `--env`. A name alone takes the caller's value.
  fileprivate func checkNames() throws {
    for entry in self where entry.isEmpty || entry.hasPrefix("=") {
      throw ValidationError("--env takes name=value, not \(entry)")
    }
  }
}
