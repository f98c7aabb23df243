import ArgumentParser
import Host
import Orchestrator

struct Rm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove services that do not run. `up` makes them again.",
    discussion: """
      stack rm web            if web does not run, once you have agreed
      stack rm -sf web        stop it first, and do not ask
      stack rm -f             all that do not run
      """)

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: LetteredProjectOptions<LettersOfRemoval>
  @Flag(name: [.short, .long], help: "Do not ask.")
  var force = false
  @Flag(name: [.short, .long], help: "Stop the services first.")
  var stop = false
  @Flag(name: [.customShort("v"), .long], help: "Remove their volumes without a name too.")
  var volumes = false
  @Flag(name: [.short, .long], help: .hidden)
  var all = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, errors: progress.errorStyle) { session in
      if try session.hasNothing("remove") { return }
      let index = session.context.index
      let places = try index.places(of: target.services, in: session.stack)
      let stacks = places.isEmpty ? [try index.stack(named: session.stack)] : places.map(\.stack)
      for stack in Set(stacks).sorted() {
        let named = places.filter { $0.stack == stack }.map(\.service)
        try remove(named, of: stack, session)
      }
    }
  }

  private func remove(_ named: [String], of stack: String, _ session: Session) throws {
    let title = DownCommand(session.context).title(of: stack)
    let meant = try session.statuses(of: stack).filter { named.isEmpty || named.contains($0.name) }
    let gone = meant.filter { stop || !$0.isAlive }.map(\.name)
    let printer = ProgressPrinter(progress, stack: stack)
    for status in meant where !gone.contains(status.name) && !named.isEmpty {
      printer.warn("\(stack)/\(status.name) runs, and stays: to remove it all the same, stack rm -s \(status.name)")
    }
    guard !gone.isEmpty else { return printer.note("there is nothing to remove of stack \(title)") }
    let names = gone.prefix(5).joined(separator: ", ") + (gone.count > 5 ? " and \(gone.count - 5) more" : "")
    if !force { try Question(session.context).confirm("this removes \(names) of stack \(title).") }
    printer.note("removing \(names) of \(title)")
    try session.finish(printer) { report in
      try RemoveCommand(session.context).run(
        gone, of: stack, removesVolumes: volumes, stopTimeout: nil, report: report)
    }
  }
}
