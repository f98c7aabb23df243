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

  /// Runs a command's body; what it throws goes to standard error and ends the program.
  ///
  /// - Parameter status: the exit status then; 1, but for commands whose 1 is an answer.
  static func run(needsRoot: Bool, status: ExitCode = .failure, _ body: (Session) throws -> Void) throws {
    guard !needsRoot || geteuid() == 0 else {
      throw failure("stack needs root to make namespaces and links: run it with sudo", status)
    }
    let session = Session(
      context: CommandContext(
        supervisor: SupervisorProgram(arguments: ["supervise"]) { [InitProgram.find()].compactMap(\.self) },
        environment: Caller.environment,
        workingFolder: Caller.workingFolder, interrupts: Interrupts()))
    do {
      try body(session)
    } catch let errors as StackErrors {
      throw failure("\(errors)", status)
    } catch let error as FileDiagnostics {
      writeError(error.rendered(isColored: isatty(STDERR_FILENO) == 1) + "\n")
      throw status
    }
  }

  static func failure(_ text: String, _ status: ExitCode = .failure) -> ExitCode {
    standardError("error: ", text)
    return status
  }

  // MARK: Files and names

  func load(_ request: LoadRequest) throws -> LoadedStack {
    let loaded = try context.load(request)
    if !loaded.notes.isEmpty { standardError("", loaded.notes) }
    return loaded
  }

  func request(_ source: SourceOptions, scale: [String]) throws -> LoadRequest {
    var request = source.request
    for entry in scale {
      let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let count = Int(parts[1]), (0...10_000).contains(count) else {
        throw ValidationError("--scale takes service=number, not \(entry)")
      }
      request.scale[String(parts[0])] = count
    }
    return request
  }

  /// A stack's name, from its name, from its file, or of the one that is meant where none is named.
  func stackName(_ text: String?) throws -> String {
    guard let text, text.contains("/") || text.contains(".") else {
      return try context.index.stack(named: text ?? Caller.projectName)
    }
    return try context.load(LoadRequest(paths: [text])).name
  }

  /// As ``stackName(_:)``, but also the name of a stack that only left something behind.
  func stackToTakeDown(_ text: String?, withVolumes: Bool) throws -> String {
    guard let text, !text.contains("/"), !text.contains(".") else { return try stackName(text) }
    return try DownCommand(context).stack(text, withVolumes: withVolumes)
  }

  func statuses(of stack: String) throws -> [StackIndex.ServiceStatus] {
    try context.statuses(of: stack)
  }

  /// Shows what a stack's services write, until Ctrl-C.
  ///
  /// - Parameter instances: the instances that are meant; all of the stack's when empty.
  func follow(_ stack: String, _ instances: [String]) throws {
    Self.flushOutput()
    var options = LogsCommand.Options()
    options.follows = true
    options.isTerminal = isatty(STDOUT_FILENO) == 1
    options.isColored = options.isTerminal
    try LogsCommand(context).run(on: instances, in: stack, options)
  }

  /// Shows what a stack's services write until one of them ends, and stops all of them.
  func followUntilOneEnds(
    _ stack: String, _ instances: [String], exitCodeFrom: String?, _ progress: ProgressOptions
  ) throws -> Int32 {
    Self.flushOutput()
    var options = LogsCommand.Options()
    options.follows = true
    options.isTerminal = isatty(STDOUT_FILENO) == 1
    options.isColored = options.isTerminal
    let printer = ProgressPrinter(progress, stack: stack)
    defer { printer.end() }
    return try FollowCommand(context).run(stack, instances, exitCodeFrom: exitCodeFrom, options) { printer.show($0) }
  }

  /// Logs are written past the buffer that `print` fills.
  private static func flushOutput() { fflush(nil) }

  // MARK: Operations

  /// Runs an operation with its progress shown, and ends the program as the operation ended.
  func finish(
    _ printer: ProgressPrinter, _ operation: ((OperationEvent) -> Void) throws -> OperationEvent
  ) throws {
    let last = try operation { printer.show($0) }
    printer.end()
    switch last.kind {
    case .finished: return
    case .cancelled:
      standardError("", last.text.isEmpty ? "cancelled" : "cancelled: \(last.text)")
      throw ExitCode(130)
    default: throw Self.failure("\(StackErrors(last.errors))")
    }
  }

  static func act(
    _ action: ActCommand.Action, on target: ServiceOptions, timeout: Double? = nil, progress: ProgressOptions
  ) throws {
    try run(needsRoot: true) { session in
      let places = try session.context.index.places(of: target.services, in: target.stack.stack)
      let stacks = places.isEmpty ? [try session.context.index.stack(named: target.stack.stack)] : places.map(\.stack)
      for stack in Set(stacks).sorted() {
        let services = places.filter { $0.stack == stack }.map(\.service)
        let printer = ProgressPrinter(progress, stack: stack)
        try session.finish(printer) { report in
          try ActCommand(session.context).run(action, on: services, of: stack, stopTimeout: timeout, report: report)
        }
      }
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
private func writeError(_ text: String) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    guard count > 0 || errno == EINTR else { return }
    bytes = bytes.dropFirst(max(count, 0))
  }
}
