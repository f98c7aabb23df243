import Kernel
import ArgumentParser
import Glibc
import Host
import Orchestrator
import Supervision
import Vocabulary

/// One command on its way: its dependencies, its errors, its exit code.
struct Session {
  let context: CommandContext
  /// The stack that is named, by an option or by the environment; nil where the folder says it.
  let stack: String?

  /// Runs a command's body; what it throws goes to standard error and ends the program.
  ///
  /// - Parameters:
  ///   - project: the options that say which stack is meant; nil for a command that is about none.
  ///   - status: the exit status of a failure; 1, but for commands whose 1 is an answer.
  static func run(
    needsRoot: Bool, in project: ProjectRequest? = nil, status: ExitCode = .failure, errors style: ErrorStyle = .usual,
    _ body: (Session) throws -> Void
  ) throws {
    guard !needsRoot || geteuid() == 0 else {
      throw failure(
        "stack needs root for namespaces, links, and what it keeps in /run/stack and /var/lib/stack: run it with sudo",
        status, style)
    }
    do {
      try body(session(of: project))
    } catch let errors as StackErrors {
      throw failure("\(errors)", errors.areMistakes ? Status.usage : status, style)
    } catch let error as FileDiagnostics {
      writeError(style == .json ? error.json : error.rendered(isColored: Terminal.showsColour(STDERR_FILENO)) + "\n")
      throw error.areMistakes ? Status.usage : status
    }
  }

  private static func session(of project: ProjectRequest?) throws -> Session {
    var context = CommandContext(
      supervisor: SupervisorProgram(arguments: ["supervise"]) { [InitProgram.find()].compactMap(\.self) },
      environment: Caller.environment,
      workingFolder: Caller.workingFolder, interrupts: Interrupts())
    guard let project else { return Session(context: context, stack: Caller.projectName) }
    (context.environmentFiles, context.projectFolder) = (project.environmentFiles, project.folder)
    try context.check(project.environmentFiles, project.folder, name: project.name)
    if let name = project.givenName { return Session(context: context, stack: name) }
    return Session(context: try context.scoped(to: project.files, name: nil), stack: nil)
  }

  static func failure(_ text: String, _ status: ExitCode = .failure, _ style: ErrorStyle = .text) -> ExitCode {
    style.show(text)
    return status
  }

  // MARK: Files and names

  func load(_ request: LoadRequest) throws -> LoadedStack {
    let loaded = try context.load(request)
    if !loaded.notes.isEmpty { standardError("", loaded.notes) }
    return loaded
  }

  func request(_ source: LoadRequest, scale: [String]) throws -> LoadRequest {
    var request = source
    for entry in scale {
      let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[1]), (0...10_000).contains(count) else {
        throw ValidationError("a scale is service=number, not \(entry)")
      }
      request.scale[String(parts[0])] = count
    }
    return request
  }

  func statuses(of stack: String) throws -> [StackIndex.ServiceStatus] {
    try context.statuses(of: stack)
  }

  /// The same with the files and variables that options name. The stack is what the loaded files say.
  func taking(_ project: ProjectRequest) throws -> Session {
    try context.check(project.environmentFiles, project.folder, name: project.name)
    var context = context
    (context.environmentFiles, context.projectFolder) = (project.environmentFiles, project.folder)
    return Session(context: context, stack: stack)
  }

  /// Shows what a stack's services write, until Ctrl-C.
  ///
  /// - Parameter instances: the instances that are meant; all of the stack's when empty.
  func follow(_ stack: String, _ instances: [String], _ options: LogsCommand.Options) throws {
    Self.flushOutput()
    try LogsCommand(context).run(on: instances, in: stack, options)
  }

  /// Shows what a stack's services write until one of them ends, and stops all of them.
  func followUntilOneEnds(
    _ stack: String, _ instances: [String], showing shown: [String], _ end: FollowCommand.End, exitCodeFrom: String?,
    _ options: LogsCommand.Options, _ progress: ProgressOptions
  ) throws -> Int32 {
    Self.flushOutput()
    let printer = ProgressPrinter(progress, stack: stack)
    defer { printer.end() }
    return try FollowCommand(context).run(
      stack, instances, showing: shown, end, exitCodeFrom: exitCodeFrom, options
    ) { printer.show($0) }
  }

  /// Logs are written past the buffer that `print` fills.
  private static func flushOutput() { fflush(nil) }

  // MARK: Operations

  /// Runs an operation with its progress shown, and ends the program as the operation ended.
  func finish(
    _ printer: ProgressPrinter, _ operation: ((OperationEvent) -> Void) throws -> OperationEvent
  ) throws {
    let last: OperationEvent
    do {
      last = try operation { printer.show($0) }
    } catch {
      printer.end()
      throw error
    }
    try end(printer, last)
  }

  /// Ends the program as an operation ended, unless all went well.
  func end(_ printer: ProgressPrinter, _ last: OperationEvent) throws {
    printer.end()
    switch last.kind {
    case .finished: return
    case .cancelled:
      standardError("", last.text.isEmpty ? "cancelled" : "cancelled: \(last.text)")
      throw ExitCode(130)
    default:
      let text = last.text.isEmpty ? "" : "\n  \(last.text)"
      throw Self.failure("\(StackErrors(last.errors))\(text)", .failure, printer.errorStyle)
    }
  }

  static func act(
    _ action: ActCommand.Action, on services: [String], in project: ProjectRequest, timeout: Double? = nil,
    readyTimeout: Double? = nil, withFollowers: Bool = true, waitsForHealth: Bool = false, progress: ProgressOptions
  ) throws {
    try run(needsRoot: true, in: project, errors: progress.errorStyle) { session in
      if let purpose = action.purposeWithoutAnything, try session.hasNothing(purpose) { return }
      let places = try session.context.index.places(of: services, in: session.stack)
      let stacks = places.isEmpty ? [try session.context.index.stack(named: session.stack)] : places.map(\.stack)
      for stack in Set(stacks).sorted() {
        let services = places.filter { $0.stack == stack }.map(\.service)
        let printer = ProgressPrinter(progress, stack: stack)
        try session.finish(printer) { report in
          try ActCommand(session.context).run(
            action, on: services, of: stack, stopTimeout: timeout, readyTimeout: readyTimeout,
            withFollowers: withFollowers, waitsForHealth: waitsForHealth, report: report)
        }
      }
    }
  }
}

extension ActCommand.Action {
  /// The words for a stack that is not up. Nil for what fails then.
  fileprivate var purposeWithoutAnything: String? {
    switch self {
    case .start, .restart: nil
    case .stop: "stop"
    case .kill: "kill"
    case .pause: "pause"
    case .unpause: "unpause"
    }
  }
}

/// Writes lines to standard error, in one piece.
func standardError(_ prefix: String, _ lines: [String]) {
  if !lines.isEmpty { standardError(prefix, lines.joined(separator: "\n")) }
}

/// Writes a line to standard error. `prefix` is left out when the text brings its own. What a terminal would obey is shown.
func standardError(_ prefix: String, _ text: String) {
  writeError(VisibleText.lines(text.hasPrefix(prefix) ? text : prefix + text) + "\n")
}

/// Writes text that has colours of its own.
func writeError(_ text: String) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    guard count > 0 || errno == EINTR else { return }
    bytes = bytes.dropFirst(max(count, 0))
  }
}
