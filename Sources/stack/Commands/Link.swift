import ArgumentParser
import Host
import Orchestrator
import Vocabulary

struct Link: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link", abstract: "Show or change rate, delay and loss of a stack's links while it runs.",
    discussion: """
      stack link web                                  all links, with counters
      stack link web1:front --delay 50ms --loss 1%    both directions
      stack link web1:front --egress --rate 10mbit --for 30s
      stack link web1:front --down                    until --up
      stack link r1:r2 --loss 5%                      a cable of `links:`
      stack link web1:front --reset                   the file's values again

      A change replaces the file's values. It lasts until --reset, the end of
      --for, or `stack down`, and survives restarts of the service.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(
    help: ArgumentHelp(
      "A stack, or one link, such as web1:front or web/web1:front.", valueName: "link"),
    completion: Completions.links)
  var place: String?
  @Option(help: ArgumentHelp("Bits a second, or none for no limit.", valueName: "10mbit"))
  var rate: String?
  @Option(help: ArgumentHelp("Delay of each packet.", valueName: "50ms"))
  var delay: String?
  @Option(help: ArgumentHelp("Largest variation of the delay.", valueName: "5ms"))
  var jitter: String?
  @Option(help: ArgumentHelp("Share of packets that are lost.", valueName: "1%"))
  var loss: String?
  @Option(help: ArgumentHelp("Share of packets that are duplicated.", valueName: "1%"))
  var duplicate: String?
  @Option(help: ArgumentHelp("Share of packets that have one bit flipped.", valueName: "1%"))
  var corrupt: String?
  @Option(help: ArgumentHelp("Share of packets that are sent without the delay.", valueName: "25%"))
  var reorder: String?
  @Flag(help: "Change only what the service sends.")
  var egress = false
  @Flag(help: "Change only what the service receives.")
  var ingress = false
  @Option(name: .customLong("for"), help: ArgumentHelp("Undo the change after this time.", valueName: "30s"))
  var duration: String?
  @Flag(help: "Cut it: the ends have no carrier, or are down.")
  var down = false
  @Flag(help: "Undo --down.")
  var up = false
  @Flag(help: "Return to the file's values.")
  var reset = false
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.table
  @OptionGroup var options: ProjectOptions
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
    try Session.run(needsRoot: true, in: options.project) { session in
      guard let place, request.isChange else { return try show(session) }
      let links = try LinkCommand(session.context).places(place, in: session.stack)
      for link in links {
        let printer = ProgressPrinter(progress, stack: link.stack)
        try session.finish(printer) { report in try LinkCommand(session.context).shape(link, request, report: report) }
      }
      try show(links, session)
    }
  }

  private func show(_ session: Session) throws {
    if let place, place.contains(":") || !session.context.index.names().contains(place) && !place.contains(".") {
      return try show(try LinkCommand(session.context).places(place, in: session.stack), session)
    }
    let name = try session.stackName(place)
    show(try LinkCommand(session.context).statuses(of: name), session)
    if format == .table, let partition = try PartitionCommand(session.context).description(of: name) {
      print("cut off from each other: \(partition) (until: stack heal \(name))")
    }
  }

  private func show(_ links: [LinkPlace], _ session: Session) throws {
    show(try links.flatMap { try LinkCommand(session.context).statuses(of: $0.stack, $0) }, session)
  }

  private func show(_ statuses: [LinkStatus], _ session: Session) {
    switch format {
    case .table: LinkTable.show(statuses)
    case .json: for status in statuses { print(status.jsonLine) }
    }
  }
}

struct Partition: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "partition", abstract: "Drop all packets between groups of services, until heal.",
    discussion: """
      stack partition web1,web2 db     web1 and web2 on one side, db on the other
      stack partition db               db on one side, all others on the other

      A service that is on no side reaches all others. Open connections are cut too.
      """)

  @Argument(help: ArgumentHelp("The sides. Each is one name, or several with commas between.", valueName: "services"))
  var sides: [String]
  @OptionGroup var options: ProjectOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    // A | that the shell was kept from taking for a pipe only divides.
    let groups = sides.joined(separator: "|").split(separator: "|")
      .map { side in side.split { $0 == "," || $0 == " " }.map(String.init) }.filter { !$0.isEmpty }
    guard !groups.isEmpty else { throw ValidationError("say who is to be cut off: stack partition web1,web2 db") }
    try Session.run(needsRoot: true, in: options.project) { session in
      let name = try session.context.index.stack(named: session.stack)
      let printer = ProgressPrinter(progress, stack: name)
      try session.finish(printer) { report in
        try PartitionCommand(session.context).run(groups, of: name, report: report)
      }
    }
  }
}

struct Heal: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heal", abstract: "End a partition. Services reach each other again as the file says.")

  @Argument(
    help: ArgumentHelp(
      "The stack. Default: that of this folder's file, or else the only one that is up.", valueName: "stack"))
  var name: String?
  @OptionGroup var options: ProjectOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      let name = try session.stackName(name)
      let printer = ProgressPrinter(progress, stack: name)
      try session.finish(printer) { report in try PartitionCommand(session.context).run(nil, of: name, report: report) }
    }
  }
}
