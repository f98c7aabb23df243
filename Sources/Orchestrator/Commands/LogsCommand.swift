import Host
import Intent
import Kernel
import Logs
import SystemPackage
import Vocabulary

/// Prints what services wrote.
package struct LogsCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    /// Only so many lines of each service, the last ones.
    package var tail: Int?
    /// A time as RFC 3339 has it, or a duration before now, such as `10m`.
    package var since: String?
    package var until: String?
    /// Nothing that was written before; nil for all of it.
    package var earliest: LogTime?
    package var follows = false
    package var showsTime = false
    package var showsPrefix = true
    package var isColored = false
    /// True if the output is a terminal. Then control characters of services are shown, not obeyed.
    package var isTerminal = false

    package init() {}
  }

  /// Writes what services wrote to standard output, until the end, or Ctrl-C when it follows.
  ///
  /// - Parameter services: all of the stack's when empty.
  package func run(on services: [String], in stack: String, _ options: Options) throws(StackErrors) {
    try run(on: services, in: stack, options, until: nil)
  }

  /// - Parameter watch: services at whose end it no longer follows, and shows what there is by then; nil for none.
  func run(
    on services: [String], in stack: String, _ options: Options, until watch: EndWatch?
  ) throws(StackErrors) {
    var query = LogReader.Query()
    query.tail = options.tail
    query.since = try Self.time(options.since, "--since") ?? options.earliest
    query.until = try Self.time(options.until, "--until")
    let isFailed = isOfFailedUp(stack)
    // Nobody writes to them any more.
    query.follow = options.follows && !isFailed
    let all = try isFailed ? failedServices(of: stack) : statuses(of: stack).map(\.service.name)
    let names = services.isEmpty ? all : services
    let folder = folders.stack(stack)
    let sources = names.map {
      LogReader.Source(service: $0, path: isFailed ? "\(folder.failedLogs)/\($0).log" : folder.service($0).log)
    }
    let reader = LogReader(sources, query, interruption: watch?.interruption ?? interruption)
    let printer = LogPrinter(
      .standardOutput, services: names,
      style: LogPrinter.Style(
        prefix: options.showsPrefix, colour: options.isColored, timestamps: options.showsTime,
        showsControls: options.isTerminal), interruption: interruption)
    do throws(KernelError) {
      try printer.show(reader)
      if let watch, watch.hasEnded {
        reader.stopFollowing()
        try printer.show(reader)
      }
      try printer.finish()
    } catch {
      // Whoever reads has read enough: `stack logs | head`, or Ctrl-C.
      guard error.errno != .brokenPipe, error.errno != .interrupted else { return }
      throw StackErrors([StackError(stack, error)])
    }
  }

  /// True for a stack that is not up, and whose last `up` has failed.
  package func isOfFailedUp(_ stack: String) -> Bool {
    !index.names().contains(stack) && Files.exists(folders.stack(stack).failedLogs)
  }

  /// The services of which there are logs from an `up` that failed.
  package func failedServices(of stack: String) -> [String] {
    // No service's name begins with a dot: that is the journal of events.
    Files.list(folders.stack(stack).failedLogs).filter { $0.hasSuffix(".log") && !$0.hasPrefix(".") }
      .map { String($0.dropLast(4)) }
  }

  /// Stacks whose last `up` has failed, of those that are meant where none is named.
  package func failedStacks() -> [String] {
    (index.scopeNames ?? Files.list(folders.lib)).filter(isOfFailedUp)
  }

  /// - Parameter option: the one that the text is the value of.
  static func time(_ text: String?, _ option: String) throws(StackErrors) -> LogTime? {
    guard let text else { return nil }
    guard let time = LogTime(argument: text) else {
      throw StackErrors(
        mistake: "\(option) \(text) is no time", remedy: "write 2026-01-31T12:00:00Z, or 10m for ten minutes ago")
    }
    return time
  }
}

extension LogPrinter {
  /// Prints what a reader gives, to its end. Nothing is held back while the reader waits.
  func show(_ reader: LogReader) throws(KernelError) {
    repeat {
      while let entry = reader.available() { try print(entry) }
      try flush()
    } while reader.wait()
  }
}
