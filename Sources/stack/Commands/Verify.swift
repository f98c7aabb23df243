import ArgumentParser
import Orchestrator
import Verify

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check with real packets that the network does what the file says.",
    discussion: """
      stack verify                                  the only stack that is up
      stack verify shop.stack                       against the file as it is now
      stack verify shop --only web1,db              only checks between these
      stack verify shop --format junit >net.xml     a report for CI
      stack verify shop --hostile                   frames that must not arrive

      Packets go from every service, and from the host, to every port that a
      service declares or a rule names. The results are compared with the
      networks, `policies:` and `expect:` of the stack.
      The exit code is 1 if anything differs.

      With --hostile, forged frames go from inside every service to whom the file
      does not let it reach, and in the names of others. The exit code is 1 if one
      arrives, and 2 if some could not be sent.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, junit }

  @Argument(
    help: ArgumentHelp("A stack, or its file. Default: the only stack that is up.", valueName: "stack|file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var target: String?
  @Option(help: ArgumentHelp("Check only between these: services, host, internet.", valueName: "a,b"))
  var only: String?
  @Flag(help: "Send forged frames instead, which must not arrive.")
  var hostile = false
  @Option(help: "Format of the output.")
  var format = Format.table
  @Option(help: ArgumentHelp("With a file: a profile whose services run too.", valueName: "name"))
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
      if hostile { return try attack(session, name, loaded, selection) }
      let verification = try VerifyCommand(session.context).run(name, as: loaded, selection)
      switch format {
      case .table: print(verification.text(width: Terminal.widthIfTerminal))
      case .json: print(verification.json)
      case .junit: print(verification.junit)
      }
      if verification.wrong > 0 { throw ExitCode.failure }
    }
  }

  private func attack(
    _ session: Session, _ name: String, _ loaded: LoadedStack?, _ selection: VerifySelection
  ) throws {
    let verification = try HostileCommand(session.context).run(name, as: loaded, selection)
    switch format {
    case .table: print(verification.text)
    case .json: print(verification.json)
    case .junit: print(verification.junit)
    }
    if verification.open > 0 { throw ExitCode.failure }
    if verification.isIncomplete { throw ExitCode(2) }
  }
}

struct Reach: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reach",
    abstract: "Check one pair: what the stack promises, what a packet does, and why.",
    discussion: """
      stack reach web1 db:5432           a TCP connection
      stack reach web1 db:53/udp         a datagram
      stack reach web1 internet          an echo request to the host's gateway
      """)

  @Argument(help: ArgumentHelp("A service, or host.", valueName: "from"))
  var source: String
  @Argument(
    help: ArgumentHelp(
      "service:port, service:port/udp, service/icmp, service@network:port, host, or internet.", valueName: "to"))
  var destination: String
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let name = try session.stackName(stack.stack)
      let verification = try VerifyCommand(session.context).reach(from: source, to: destination, in: name)
      print(verification.details)
      if verification.wrong > 0 { throw ExitCode.failure }
    }
  }
}
