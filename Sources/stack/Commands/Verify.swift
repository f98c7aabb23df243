import ArgumentParser
import Orchestrator
import Verify

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Compare what a stack promises with what packets do.",
    discussion: """
      Sends real packets from every service, and from the host, to every port that a service declares or that a rule names, \
      and compares what becomes of them with what the stack's networks, `policies:` and `expect:` say. With a file, what \
      that file says now counts. Ends with status 1 when anything differs.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, junit }

  @Argument(
    help: ArgumentHelp("A stack, or its file. Without it: the only one that is up.", valueName: "stack|file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var target: String?
  @Option(help: ArgumentHelp("Only checks between these: services, host, internet.", valueName: "a,b"))
  var only: String?
  @Option(help: "table, json or junit.")
  var format = Format.table
  @Option(help: ArgumentHelp("A profile whose services run too, when a file is given.", valueName: "name"))
  var profile: [String] = []

  func run() throws {
    try Session.run(needsRoot: true) { session in
      var selection = VerifySelection()
      selection.only = only?.split(separator: ",").map(String.init) ?? []
      var loaded: LoadedStack?
      if let target, target.contains("/") || target.contains(".") {
        var request = LoadRequest(paths: [target])
        request.profiles = profile
        loaded = try session.load(request)
      }
      let name = try loaded?.name ?? session.stackName(target)
      let verification = try session.commands.verify(name, as: loaded, selection)
      switch format {
      case .table: print(verification.text(width: Terminal.widthIfTerminal))
      case .json: print(verification.json)
      case .junit: print(verification.junit)
      }
      if verification.wrong > 0 { throw ExitCode.failure }
    }
  }
}

struct Reach: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reach",
    abstract: "Say whether one service reaches another: what the stack promises, what packets do, and why.",
    discussion: """
      stack reach web1 db:5432           a TCP connection
      stack reach web1 db:53/udp         a datagram
      stack reach web1 internet          an echo request to the next machine outside
      """)

  @Argument(help: ArgumentHelp("A service, or host.", valueName: "from"))
  var source: String
  @Argument(
    help: ArgumentHelp(
      "service:port, service:port/udp, service/icmp, service@network:port; or host, or internet.", valueName: "to"))
  var destination: String
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let name = try session.stackName(stack.stack)
      let verification = try session.commands.reach(from: source, to: destination, in: name)
      print(verification.details)
      if verification.wrong > 0 { throw ExitCode.failure }
    }
  }
}
