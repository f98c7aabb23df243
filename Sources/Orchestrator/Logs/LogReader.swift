import Glibc
import Kernel

/// Reads the logs of one or several services as one, in the order of time.
///
/// Each service's own lines stay in the order in which they were written, even if the clock was set back in between.
/// A reader that follows loses nothing and repeats nothing when files are rotated, unless it is so slow that a file is
/// deleted before it came to it.
package final class LogReader {
  /// A service and its newest log file.
  package struct Source: Hashable, Sendable {
    let service: String
    let path: String

    package init(service: String, path: String) {
      self.service = service
      self.path = path
    }
  }

  /// The lines to read.
  package struct Query: Sendable {
    /// At most so many lines of each service, the last ones.
    package var tail: Int?
    /// Lines from this moment on. What comes while the reader follows is later than that, whatever the clock is set to.
    package var since: LogTime?
    /// Lines up to this moment.
    package var until: LogTime?
    /// Go on with what comes.
    package var follow = false
    /// Milliseconds that a line which has not ended is waited for before what there is of it is given.
    package var partialPatience: CInt = 200

    package init(tail: Int? = nil, since: LogTime? = nil, until: LogTime? = nil, follow: Bool = false) {
      self.tail = tail
      self.since = since
      self.until = until
      self.follow = follow
    }
  }

  private static let linesBetweenLooks = 256

  private let cursors: [LogCursor]
  private let query: Query
  private let interruption: Interruption
  private let watch: LogWatch?
  private var follows: Bool
  /// Lines that were looked at, for ``linesBetweenLooks``.
  private var looked = 0
  /// An interruption has been seen, and not yet been told.
  private var wasInterrupted = false
  private var merge = LogMerge()
  /// Cursors that had no line when they were last asked.
  private var waiting: [Int]
  /// Cursors that have come to the end of what there was.
  private var isCaughtUp: [Bool]

  /// Files need not exist (yet).
  package init(_ sources: [Source], _ query: Query = Query(), interruption: Interruption = Interruption()) {
    self.query = query
    self.interruption = interruption
    let since = query.tail == nil ? query.since : nil
    cursors = sources.map { LogCursor(service: $0.service, path: $0.path, since: since) }
    follows = query.follow
    waiting = Array(cursors.indices)
    isCaughtUp = cursors.map { _ in false }
    watch = query.follow ? LogWatch(folders: Set(sources.map { Self.folder(of: $0.path) })) : nil
    // All ends are fixed before the first byte is read: the services' lines stand beside each other as of one moment.
    if !query.follow || query.tail != nil { for cursor in cursors { cursor.fixEnd() } }
    if let tail = query.tail {
      for cursor in cursors { cursor.skip(toLast: tail, includesPartial: !query.follow) }
    }
    if query.follow { for cursor in cursors { cursor.releaseEnd() } }
  }

  /// The last lines of a service, for a message that says why it ended. No more than the last `bytes` of its log are read for
  /// them.
  package static func lastLines(_ count: Int, of source: Source, within bytes: Int = 1 << 16) -> [LogEntry] {
    LogCursor(service: source.service, path: source.path).last(count, within: bytes)
  }

  /// The next line; waits for it when following. `nil` at the end, or when interrupted: then asking again goes on.
  package func next() -> LogEntry? {
    while true {
      if let entry = available() { return entry }
      guard wait() else { return nil }
    }
  }

  /// The next line that is there, `nil` when there is none so far, or when interrupted.
  package func available() -> LogEntry? {
    ask()
    while !isInterrupted() {
      guard let (index, entry) = merge.popFirst() else { break }
      let isNew = isCaughtUp[index]
      advance(index)
      if matches(entry, isNew: isNew) { return entry }
    }
    return nil
  }

  /// A writer that is faster than this reader leaves it no other moment to look.
  private func isInterrupted() -> Bool {
    looked &+= 1
    if looked % Self.linesBetweenLooks == 0, follows, interruption.isInterrupted() { wasInterrupted = true }
    return wasInterrupted
  }

  /// Waits until there may be more; false at the end, or when interrupted.
  package func wait() -> Bool {
    defer { wasInterrupted = false }
    return follows && !wasInterrupted && waitForMore()
  }

  /// Reads to where the logs end now, and no further.
  package func stopFollowing() {
    (follows, wasInterrupted) = (false, false)
    for cursor in cursors { cursor.fixEnd() }
  }

  private func matches(_ entry: LogEntry, isNew: Bool) -> Bool {
    if !isNew, let since = query.since, entry.time < since { return false }
    if let until = query.until, until < entry.time { return false }
    return true
  }

  /// Asks the cursors that had nothing.
  private func ask() {
    // While others have lines, those come first: who was at the end is asked again when they are out.
    guard merge.isEmpty else { return }
    let indices = waiting
    waiting = []
    for index in indices { advance(index) }
  }

  private func advance(_ index: Int) {
    if let entry = cursors[index].next() ?? (follows ? nil : cursors[index].takePartial()) {
      merge.insert(index, entry)
    } else {
      waiting.append(index)
      isCaughtUp[index] = isCaughtUp[index] || follows
    }
  }

  private func waitForMore() -> Bool {
    guard let watch else { return false }
    var sawNewFile = false
    for cursor in cursors {
      if let file = cursor.fileDescriptor, watch.watch(file) { sawNewFile = true }
    }
    // Lines may have been written before the watch existed, so look for them.
    if sawNewFile { return !interruption.isInterrupted() }
    var limit: CInt = -1
    if let until = query.until {
      let left = until.nanoseconds.subtractingReportingOverflow(LogTime.now.nanoseconds).partialValue
      guard left > 0 else { return false }
      limit = CInt(clamping: left / 1_000_000 + 1)
    }
    let hasPartial = cursors.contains { $0.hasPartial }
    if hasPartial { limit = limit < 0 ? query.partialPatience : min(limit, query.partialPatience) }
    let start = SuspendingClock.now
    guard watch.wait(milliseconds: limit, interruption) else { return false }
    if hasPartial, SuspendingClock.now - start >= .milliseconds(Int(query.partialPatience)) { givePartials() }
    return true
  }

  private func givePartials() {
    let indices = waiting
    waiting = []
    for index in indices {
      if let entry = cursors[index].next() ?? cursors[index].takePartial() {
        merge.insert(index, entry)
      } else {
        waiting.append(index)
      }
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// The next line of each service, the earliest first: a binary heap.
struct LogMerge {
  private var heap: [(source: Int, entry: LogEntry)] = []

  var isEmpty: Bool { heap.isEmpty }

  mutating func insert(_ source: Int, _ entry: LogEntry) {
    heap.append((source, entry))
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func popFirst() -> (source: Int, entry: LogEntry)? {
    guard !heap.isEmpty else { return nil }
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, smallest) {
        smallest = child
      }
      guard smallest != parent else { return first }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }

  private func precedes(_ one: Int, _ other: Int) -> Bool {
    (heap[one].entry.time, heap[one].source) < (heap[other].entry.time, heap[other].source)
  }
}
