/// A line that a service put out.
package struct LogEntry: Hashable, Sendable {
  let service: String
  let stream: LogStream
  /// The time at which its first byte was read.
  package let time: LogTime
  /// Any bytes but a newline.
  package let text: [UInt8]
  /// No newline follows (yet): the rest may come as the stream's next entry.
  let isPartial: Bool
  /// The stream's entry before this one was partial.
  let isContinuation: Bool
}

/// Puts the parts of lines together, for each stream of a service by itself.
struct LogAssembler {
  /// A longer line comes in pieces.
  static let longestLine = 1 << 20

  private struct Line {
    var time: LogTime?
    var text: [UInt8] = []
    var isContinuation = false
  }

  let service: String
  private var lines = [Line](repeating: Line(), count: LogStream.allCases.count)

  init(service: String) {
    self.service = service
  }

  /// True if a line has begun and not ended.
  var hasPartial: Bool { lines.contains { $0.time != nil } }

  /// Adds a record's content; returns the line if that completes it, or makes it long enough.
  mutating func add(_ record: LogRecord, _ content: UnsafeRawBufferPointer) -> LogEntry? {
    let index = Int(record.stream.rawValue)
    lines[index].time = lines[index].time ?? record.time
    lines[index].text.append(contentsOf: content)
    guard !record.isPartial || lines[index].text.count >= Self.longestLine else { return nil }
    return take(record.stream, isPartial: record.isPartial)
  }

  /// Takes what there is of a line that has not ended, the oldest first.
  mutating func takePartial() -> LogEntry? {
    let begun = LogStream.allCases.compactMap { stream in lines[Int(stream.rawValue)].time.map { (stream, $0) } }
    guard let (stream, _) = begun.min(by: { $0.1 < $1.1 }) else { return nil }
    return take(stream, isPartial: true)
  }

  private mutating func take(_ stream: LogStream, isPartial: Bool) -> LogEntry? {
    let line = lines[Int(stream.rawValue)]
    guard let time = line.time else { return nil }
    lines[Int(stream.rawValue)] = Line(isContinuation: isPartial)
    return LogEntry(
      service: service, stream: stream, time: time, text: line.text, isPartial: isPartial,
      isContinuation: line.isContinuation)
  }
}
