import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Down: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Take a stack down. Only its named volumes stay.",
    discussion: """
      stack down                the stack of this folder's file
      stack down web db         these services of it
      stack down shop           the stack of that name
      stack down -v             with its volumes, once you have agreed
      """)

  @Argument(
    help: ArgumentHelp(
      "A stack, its file, or services. Default: the stack of this folder's file, or else the only one that is up.",
      valueName: "name"),
    completion: Completions.places)
  var words: [String] = []
  @OptionGroup var options: ProjectOptions
  @Flag(name: [.short, .long], help: "Remove its volumes too. On a terminal, this asks first.")
  var volumes = false
  @Flag(name: [.customShort("y"), .customLong("yes")], help: "Do not ask.")
  var agrees = false
  @Option(
    name: [.customShort("t", allowingJoined: true), .long],
    help: ArgumentHelp(
      "Seconds to wait before SIGKILL, instead of each service's own grace period.", valueName: "seconds"))
  var timeout: Double?
  @Option(
    help: ArgumentHelp("Remove images of its services too: all, or local for those without a name.", valueName: "which")
  )
  var rmi: RemovedImages?
  @Flag(help: "Accepted for compatibility with Compose. `down` always removes orphans.")
  var removeOrphans = false
  @OptionGroup var progress: ProgressOptions

  enum RemovedImages: String, ExpressibleByArgument, CaseIterable { case all, local }

  func validate() throws {
    guard timeout.map({ $0 >= 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
  }

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, errors: progress.errorStyle) { session in
      let command = DownCommand(session.context)
      let target = try target(in: session, command)
      guard target.services.isEmpty else { return try remove(target, in: session) }
      let printer = ProgressPrinter(progress, stack: target.stack)
      guard try command.leavesAnything(target.stack, withVolumes: volumes) else {
        // A command that was killed may have left a lock or the supervisor's group.
        _ = try command.run(target.stack, removeVolumes: false, timeout: nil) { _ in }
        return printer.warn("stack \(command.title(of: target.stack)) is not up: there is nothing to take down")
      }
      printer.note("taking down \(command.title(of: target.stack))")
      let kept = command.volumes(of: target.stack)
      if volumes, !agrees, !kept.isEmpty {
        try Question(session.context).confirm(
          "this removes stack \(command.title(of: target.stack)) with \(Self.list(kept)).")
      }
      let images = rmi == nil ? [] : try command.images(of: target.stack, all: rmi == .all)
      try session.finish(printer) { report in
        try command.run(target.stack, removeVolumes: volumes, timeout: timeout, report: report)
      }
      for name in images { try removeImage(name, in: session, printer) }
      printer.say("stack \(target.stack) is down")
    }
  }

  private func removeImage(_ name: String, in session: Session, _ printer: ProgressPrinter) throws {
    do {
      for line in try ImageCommand(session.context).removeImage(name, force: false) { printer.note(line) }
    } catch {
      // Another stack may run from it, and what was asked for is done.
      printer.warn("image \(name) stays: \(error)")
    }
  }

  /// `its volumes a, b and 3 more`, as much of it as a line has room for.
  private static func list(_ volumes: [String]) -> String {
    let shown = volumes.prefix(5).joined(separator: ", ")
    let rest = volumes.count > 5 ? " and \(volumes.count - 5) more" : ""
    return "its volume\(volumes.count == 1 ? "" : "s") \(shown)\(rest)"
  }

  private func remove(_ target: Session.Target, in session: Session) throws {
    let printer = ProgressPrinter(progress, stack: target.stack)
    let title = DownCommand(session.context).title(of: target.stack)
    printer.note("taking down \(target.services.joined(separator: ", ")) of \(title)")
    if words == [target.stack] {
      printer.warn("\(target.stack) is a service of stack \(target.stack): to take all of it down, type stack down")
    }
    try session.finish(printer) { report in
      try RemoveCommand(session.context).run(
        target.services, of: target.stack, removesVolumes: volumes, stopTimeout: timeout, report: report)
    }
  }

  /// The stack, also one that only left something behind, or services of one.
  private func target(in session: Session, _ command: DownCommand) throws -> Session.Target {
    guard let word = words.first else { return Session.Target(stack: try command.stack(session.stack)) }
    let isName = words.count == 1 && !Session.isFile(word) && session.stack == nil
    // A stack that only left volumes behind is not up, and is meant all the same.
    if isName, !session.context.index.names().contains(word), try command.leavesAnything(word, withVolumes: volumes) {
      return Session.Target(stack: word)
    }
    // A stack that is named by its file is taken down whatever is left of it: a killed command leaves a lock.
    if !Session.isFile(word), try session.hasNothing("take down") { throw ExitCode.success }
    let targets = try session.targets(words)
    guard let target = targets.first, targets.count == 1 else {
      throw ValidationError("down takes one stack, or services of one")
    }
    return target
  }
}
