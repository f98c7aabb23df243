import ArgumentParser
import Glibc
import Orchestrator
import Verify

/// Commands whose exit status 1 is an answer: something differs. What could not be asked ends with another.
enum Verdict {
  static let commands: Set<String> = ["verify", "reach", "export"]
  /// No such stack, no such file, a typing error, a line that cannot be tested.
  static let unasked = ExitCode(2)

  /// - Throws: the status, unless all holds.
  static func end(_ verification: Verification) throws {
    if verification.wrong > 0 { throw ExitCode.failure }
    if verification.unasked > 0 { throw unasked }
  }
}

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check with real packets that the network does what the file says.",
    discussion: """
      stack verify                                  the only stack that is up
      stack verify shop.stack                       against the file as it is now
      stack verify shop --only web1,db              only checks between these
      stack verify shop --expect                    only the lines of `expect:`
      stack verify lab --live                       by the routes that daemons made
      stack verify shop --format junit >net.xml     a report for CI
      stack verify shop --hostile                   frames that must not arrive

      Packets go from every service, and from the host, to every port that a
      service declares or a rule names. The results are compared with the
      networks, `policies:` and `expect:` of the stack.
      The exit code is 0 if all holds, 1 if anything differs, and 2 if it could
      not be asked.

      With --hostile, forged frames go from inside every service to whom the file
      does not let it reach, and in the names of others. The exit code is 1 if one
      arrives, and 2 if some could not be sent.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, junit }

  @Argument(
    help: ArgumentHelp(
      "A stack, or its file. Default: the stack of this folder's file, or else the only one that is up.",
      valueName: "stack|file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var target: String?
  @Option(help: ArgumentHelp("Check only between these: services, host, internet.", valueName: "a,b"))
  var only: String?
  @Flag(help: "Send forged frames instead, which must not arrive.")
  var hostile = false
  @Option(
    help: ArgumentHelp(
      "With --hostile: a machine beside the host attacks too, from this network namespace (a path, or a name in /run/netns).",
      valueName: "netns"))
  var outside: String?
  @Flag(help: "Check only the lines of `expect:`.")
  var expect = false
  @Flag(
    help: "Predict from the routes, addresses and bridges that are there now, and name what the file has otherwise.")
  var live = false
  @Flag(help: "Repeat every two seconds until Ctrl-C.")
  var watch = false
  @Option(help: "Format of the output.")
  var format = Format.table
  @OptionGroup var options: ProjectOptions

  func validate() throws {
    guard only.map({ !$0.split(separator: ",").isEmpty }) ?? true else {
      throw ValidationError("--only names services, as in --only web1,db")
    }
    guard outside == nil || hostile else { throw ValidationError("--outside goes with --hostile") }
  }

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, status: Verdict.unasked) { session in
      var selection = VerifySelection()
      selection.only = only?.split(separator: ",").map(String.init) ?? []
      (selection.expectationsAlone, selection.isLive) = (expect, live)
      var loaded: LoadedStack?
      if let target, target.contains("/") || target.contains(".") {
        var request = LoadRequest(paths: [target])
        request.profiles = options.profile
        loaded = try session.load(request)
      }
      let name = try loaded?.name ?? session.stackName(target)
      if hostile { return try attack(session, name, loaded, selection) }
      var table = LiveTable(isLive: Terminal.widthIfTerminal != nil)
      var verification = try VerifyCommand(session.context).run(name, as: loaded, selection)
      while watch, table.show(text(verification) + "\n", isAppended: format != .table),
        session.context.pause(milliseconds: 2000)
      {
        verification = try VerifyCommand(session.context).run(name, as: loaded, selection)
      }
      if !watch { print(text(verification)) }
      try Verdict.end(verification)
    }
  }

  private func attack(
    _ session: Session, _ name: String, _ loaded: LoadedStack?, _ selection: VerifySelection
  ) throws {
    let verification = try HostileCommand(session.context).run(name, as: loaded, selection, outside: outside)
    switch format {
    case .table: print(verification.text)
    case .json: print(verification.json)
    case .junit: print(verification.junit)
    }
    if verification.open > 0 { throw ExitCode.failure }
    if verification.isIncomplete { throw ExitCode(2) }
  }

  private func text(_ verification: Verification) -> String {
    switch format {
    case .table: verification.text(Terminal.verificationStyle)
    case .json: verification.json
    case .junit: verification.junit
    }
  }
}

extension Terminal {
  /// The style of a verification on standard output.
  static var verificationStyle: Verification.Style {
    let width = widthIfTerminal
    return Verification.Style(width: width, isTerminal: width != nil, isColored: Terminal.showsColour(STDOUT_FILENO))
  }
}

struct Reach: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reach",
    abstract: "Check one pair: what the stack promises, the way hop by hop, what a packet does, and why.",
    discussion: """
      stack reach web1 db:5432           a TCP connection
      stack reach web1 db:53/udp         a datagram
      stack reach shop/web1 shop/db      in one of several stacks
      stack reach web1 internet          an echo request to the host's gateway

      The exit code is 0 if it is as promised, 1 if it is not, and 2 if it could
      not be asked.
      """)

  @Argument(help: ArgumentHelp("A service, or host.", valueName: "from"))
  var source: String
  @Argument(
    help: ArgumentHelp(
      "service:port, service:port/udp, service/icmp, service@network:port, host, or internet.", valueName: "to"))
  var destination: String
  @OptionGroup var options: ProjectOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, status: Verdict.unasked) { session in
      let request = try ReachRequest(from: source, to: destination)
      let name = try session.stackName(request.stack)
      let verification = try VerifyCommand(session.context).reach(request, in: name)
      print(verification.details)
      try Verdict.end(verification)
    }
  }
}
