import Glibc
import Intent
import JSON
import Kernel
import Logs
import Supervision
import SystemPackage
import Vocabulary

/// Prints what happens to services.
package struct EventsCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    /// A time as RFC 3339 has it, or a duration before now; nil for from now on, when it follows.
    package var since: String?
    package var until: String?
    package var follows = true
    package var isJSON = false
    /// Of these stacks, only events of these instances.
    package var services: [String: Set<String>] = [:]

    package init() {}
  }

  /// Prints what happens to the services of stacks, or has happened.
  package func run(on stacks: [String], _ options: Options) throws(StackErrors) {
    var query = LogReader.Query()
    query.since = try LogsCommand.time(options.since, "--since")
    // Not from a moment on: the clock may be set back.
    if query.since == nil, options.follows { query.tail = 0 }
    query.until = try LogsCommand.time(options.until, "--until")
    query.follow = options.follows
    let sources = stacks.map { LogReader.Source(service: $0, path: folders.stack($0).events) }
    let reader = LogReader(sources, query, interruption: interruption)
    while let entry = reader.next() {
      guard let event = try? JSONReader.decode(StackEvent.self, from: Array(entry.text)) else { continue }
      if let meant = options.services[event.project], !meant.contains(event.service) { continue }
      let text = options.isJSON ? Self.json(entry) : VisibleText.line("\(entry.time) \(event)")
      guard Self.writeLine(text) else { return }
    }
  }

  /// The event as it was written down, with its time.
  private static func json(_ entry: LogEntry) -> String {
    "{\"time\":\"\(entry.time)\"," + String(decoding: entry.text.dropFirst(), as: UTF8.self)
  }

  /// False when nobody reads any more.
  private static func writeLine(_ text: String) -> Bool {
    do {
      try FileDescriptor.standardOutput.writeInFull("\(text)\n".utf8)
      return true
    } catch {
      return false
    }
  }
}
