import ArgumentParser
import Host
import Orchestrator
import Vocabulary

struct Link: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", abstract: "Show what befalls packets on the links of a stack, or change it while it runs.",
    discussion: """
      stack link web                                    each link, both ways, with what has passed
      stack link web1:front --delay 50ms --loss 1%      each way, in place of what the file says
      stack link web1:front --egress --rate 10mbit --for 30s
      stack link web1:front --down                      no packet passes, until --up
      stack link r1:r2 --loss 5%                        a link between two services, by the other or its interface
      stack link web1:front --reset                     what the file says again

      What was changed holds until it is taken back, its time is up or the stack is down, also through restarts.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(
    help: ArgumentHelp(
      "A stack, to show its links; or a service's link, as web1:front or web/web1:front.", valueName: "link"))
  var place: String?
  @Option(help: ArgumentHelp("The most that passes in a second, or none.", valueName: "10mbit"))
  var rate: String?
  @Option(help: ArgumentHelp("How long each packet takes.", valueName: "50ms"))
  var delay: String?
  @Option(help: ArgumentHelp("How much the delay varies at most.", valueName: "5ms"))
  var jitter: String?
  @Option(help: ArgumentHelp("Packets that do not arrive.", valueName: "1%"))
  var loss: String?
  @Option(help: ArgumentHelp("Packets that arrive twice.", valueName: "1%"))
  var duplicate: String?
  @Option(help: ArgumentHelp("Packets with a bit turned over.", valueName: "1%"))
  var corrupt: String?
  @Option(help: ArgumentHelp("Packets that overtake those that are delayed.", valueName: "25%"))
  var reorder: String?
  @Flag(help: "Only what the service sends.")
  var egress = false
  @Flag(help: "Only what the service gets.")
  var ingress = false
  @Option(name: .customLong("for"), help: ArgumentHelp("End it after so long.", valueName: "30s"))
  var duration: String?
  @Flag(help: "Let no packet pass.")
  var down = false
  @Flag(help: "Let packets pass again.")
  var up = false
  @Flag(help: "Go back to what the file says.")
  var reset = false
  @Option(help: "table or json (one object a line).")
  var format = Format.table
  @OptionGroup var stack: StackOptions
  @OptionGroup var progress: ProgressOptions

  private var request: LinkRequest {
    var request = LinkRequest()
    (request.rate, request.delay, request.jitter, request.loss) = (rate, delay, jitter, loss)
    (request.duplicate, request.corrupt, request.reorder) = (duplicate, corrupt, reorder)
    request.direction = egress == ingress ? nil : egress ? .egress : .ingress
    request.isDown = down ? true : up ? false : nil
    request.resets = reset
    request.duration = duration
    return request
  }

  func validate() throws {
    guard !down || !up else { throw ValidationError("--down and --up cannot go together") }
    guard duration == nil || request.isChange else { throw ValidationError("--for needs something that is to end") }
    guard place != nil || !request.isChange else {
      throw ValidationError("say which link: stack link web1:front --delay 50ms")
    }
  }

  func run() throws {
    try Session.run(needsRoot: true) { session in
      guard let place, request.isChange else { return try show(session) }
      let links = try session.commands.linkPlaces(place, in: stack.stack)
      for link in links {
        let printer = ProgressPrinter(progress, stack: link.stack)
        try session.finish(printer) { report in try session.commands.shape(link, request, report: report) }
      }
      try show(links, session)
    }
  }

  private func show(_ session: Session) throws {
    if let place, place.contains(":") || !session.commands.index.names().contains(place) && !place.contains(".") {
      return try show(try session.commands.linkPlaces(place, in: stack.stack), session)
    }
    let name = try session.stackName(place ?? stack.stack)
    show(try session.commands.links(of: name), session)
    if format == .table, let partition = try session.commands.partition(of: name) {
      print("cut off from each other: \(partition) (until: stack heal \(name))")
    }
  }

  private func show(_ links: [StackCommands.LinkPlace], _ session: Session) throws {
    show(try links.flatMap { try session.commands.links(of: $0.stack, $0) }, session)
  }

  private func show(_ statuses: [StackCommands.LinkStatus], _ session: Session) {
    switch format {
    case .table: LinkTable.show(statuses)
    case .json: for status in statuses { print(session.commands.jsonLine(of: status)) }
    }
  }
}

struct Partition: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "partition", abstract: "Cut services off from each other, until heal.",
    discussion: """
      stack partition web1,web2 db     web1 and web2 on one side, db on the other
      stack partition db               db on one side, all others on the other

      Services that stand on no side reach all. What was connected is cut too.
      """)

  @Argument(help: ArgumentHelp("The sides, each as names with commas between.", valueName: "services"))
  var sides: [String]
  @OptionGroup var stack: StackOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    // A | that the shell was kept from taking for a pipe only divides.
    let groups = sides.joined(separator: "|").split(separator: "|")
      .map { side in side.split { $0 == "," || $0 == " " }.map(String.init) }.filter { !$0.isEmpty }
    guard !groups.isEmpty else { throw ValidationError("say who is to be cut off: stack partition web1,web2 db") }
    try Session.run(needsRoot: true) { session in
      let name = try session.commands.index.stack(named: stack.stack)
      let printer = ProgressPrinter(progress, stack: name)
      try session.finish(printer) { report in try session.commands.partition(groups, of: name, report: report) }
    }
  }
}

struct Heal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heal", abstract: "End a partition: all services reach each other again as far as the file lets them.")

  @Argument(help: ArgumentHelp("The stack, when more than one is up.", valueName: "stack"))
  var name: String?
  @OptionGroup var stack: StackOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let name = try session.stackName(name ?? stack.stack)
      let printer = ProgressPrinter(progress, stack: name)
      try session.finish(printer) { report in try session.commands.partition(nil, of: name, report: report) }
    }
  }
}
