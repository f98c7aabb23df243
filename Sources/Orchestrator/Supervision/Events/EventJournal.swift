import Host
import Intent
import JSON
import Logs

/// Writes down what happens to a stack's services, for `stack events`: a line of JSON each, in a file like a log.
///
/// So a reader follows a file, misses nothing while no supervisor runs, and wakes no process.
final class EventJournal {
  private let stack: String
  private let writer: LogWriter
  private var records: [String: ServiceRecord] = [:]

  init(_ folder: StackFolder, scratch: LogScratch) {
    stack = folder.name
    writer = LogWriter(path: folder.events, scratch: scratch)
  }

  /// Takes what is known of a service from a former supervisor: nothing of it has just happened.
  func begin(with record: ServiceRecord) {
    records[record.service] = record
  }

  /// Writes down what has happened to a service since its last record.
  func update(_ record: ServiceRecord) {
    for event in StackEvent.between(records[record.service], record, in: stack) {
      guard var line = try? JSONWriter.encode(event) else { continue }
      line.append(0x0A)
      line.withUnsafeBytes { writer.append($0, .stdout) }
    }
    records[record.service] = record
  }
}

extension StackFolder {
  /// Beside the logs, under a name that no service can have.
  package var events: String { "\(logs)/.events.log" }
}
