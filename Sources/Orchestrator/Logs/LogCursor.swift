import Glibc
import Kernel
import SystemPackage

/// A place in one service's log: reads line by line, from file to file, while the writer goes on and rotates.
final class LogCursor {
  /// A line of more bytes is no record of ours, and is skipped.
  private static let longestLine = 1 << 20
  private static let blockSize = 1 << 15

  private let files: LogFileSet
  private let since: LogTime?
  private var file: LogFileSet.Opened?
  /// True while reading ends at ``end``, or at once if there was no file.
  private var hasFixedEnd = false
  /// The file has been renamed, so once this is known its end is its end.
  private var isFinished = false
  private var offset: off_t = 0
  /// Bytes read and not yet taken, from `head`; no newline before `searched`.
  private var buffer: [UInt8] = []
  private var head = 0
  private var searched = 0
  private var isSkipping = false
  private var assembler: LogAssembler
  private var preloaded: ArraySlice<LogEntry> = []
  /// The end of reading, as an offset in the newest file. Nil if reading follows the writer.
  private var end: (file: LogFileSet.Opened, offset: off_t)?

  /// Begins at the oldest entry. Files that were last written before `since` may be left out.
  init(service: String, path: String, since: LogTime? = nil) {
    files = LogFileSet(path: path)
    assembler = LogAssembler(service: service)
    self.since = since
  }

  /// True if the beginning of a line has been read, and not its end.
  var hasPartial: Bool { assembler.hasPartial }

  /// The file that the next bytes will come from, on loan.
  var fileDescriptor: FileDescriptor? { file?.descriptor.fileDescriptor }

  /// Has reading end where the log ends now. So a reader comes to the end of what a faster writer writes.
  func fixEnd() {
    end = files.openNewest().map { ($0, $0.size) }
    hasFixedEnd = true
  }

  /// Goes on with what comes.
  func releaseEnd() {
    end = nil
    hasFixedEnd = false
  }

  /// The next line, `nil` when there is none so far.
  func next() -> LogEntry? {
    if let entry = preloaded.popFirst() { return entry }
    repeat {
      while let line = takeLine() {
        if let entry = parse(line) { return entry }
      }
    } while fill()
    return nil
  }

  /// Takes the part of a line that has not ended.
  func takePartial() -> LogEntry? { assembler.takePartial() }

  /// Goes to where only `count` lines follow; the beginning of a line counts if `includesPartial`.
  func skip(toLast count: Int, includesPartial: Bool) {
    let wanted = max(count, 0)
    var lines = wanted.addingReportingOverflow(16).partialValue
    while true {
      let isAtBeginning = moveBack(lines: lines)
      var last: [LogEntry] = []
      var first = 0
      var total = 0
      var firsts: [LogStream: Int] = [:]
      func keep(_ entry: LogEntry) {
        firsts[entry.stream] = firsts[entry.stream] ?? total
        total += 1
        if last.count < wanted {
          last.append(entry)
        } else if wanted > 0 {
          last[first] = entry
          first = (first + 1) % wanted
        }
      }
      while let entry = next() { keep(entry) }
      while includesPartial, let entry = takePartial() { keep(entry) }
      // Going back to the middle of long lines leaves one entry of each stream cut short: they must be among those left out.
      if isAtBeginning || total > wanted && firsts.values.allSatisfy({ $0 < total - wanted }) {
        preloaded = (last[first...] + last[..<first])[...]
        return
      }
      lines = lines.multipliedReportingOverflow(by: 4).partialValue
    }
  }

  /// The last lines of what was written last, `bytes` of it. The first of them may be without its beginning, where that lies
  /// further back.
  func last(_ count: Int, within bytes: Int) -> [LogEntry] {
    fixEnd()
    moveBack(bytes: off_t(bytes))
    var entries: [LogEntry] = []
    while let entry = next() ?? takePartial() { entries.append(entry) }
    return entries.suffix(count)
  }

  // MARK: Lines

  private func takeLine() -> Range<Int>? {
    let newline = buffer.withUnsafeBytes { bytes -> Int? in
      guard searched < bytes.count, let base = bytes.baseAddress else { return nil }
      return memchr(base + searched, 0x0A, bytes.count - searched).map { base.distance(to: UnsafeRawPointer($0)) }
    }
    guard let newline else {
      searched = buffer.count
      if buffer.count - head > Self.longestLine {
        dropBuffer()
        isSkipping = true
      }
      return nil
    }
    defer {
      head = newline + 1
      searched = head
      isSkipping = false
    }
    return isSkipping ? newline..<newline : head..<newline
  }

  private func parse(_ line: Range<Int>) -> LogEntry? {
    buffer.withUnsafeBytes { bytes in
      let line = UnsafeRawBufferPointer(rebasing: bytes[line])
      guard let record = LogRecord(line: line) else { return nil }
      return assembler.add(record, UnsafeRawBufferPointer(rebasing: line[record.contentOffset...]))
    }
  }

  private func dropBuffer() {
    buffer = []
    head = 0
    searched = 0
  }

  // MARK: Files

  /// Reads more, from the next file at the end of this one; false when there is no more so far.
  private func fill() -> Bool {
    guard !hasFixedEnd || end != nil else { return false }
    if file == nil {
      guard let oldest = files.openOldest(since: since) else { return false }
      enter(notBeyondEnd(oldest), at: 0)
    }
    // Files are few, and each turn either reads or gets nearer to the newest.
    for _ in 0..<1_000 {
      guard let file else { return false }
      if read(file) { return true }
      if let end, end.file.identity == file.identity { return false }
      if isFinished {
        guard let next = files.open(after: file) else { return false }
        enter(notBeyondEnd(next), at: 0)
      } else if files.number(of: file.identity) == 0 {
        return false
      } else {
        // Bytes may have come between the read and the renaming, none after it: read once more.
        isFinished = true
      }
    }
    return false
  }

  /// The file itself, or the one with the end if that comes before it or was deleted.
  private func notBeyondEnd(_ next: LogFileSet.Opened) -> LogFileSet.Opened {
    guard let end, next.identity != end.file.identity else { return next }
    guard let last = files.number(of: end.file.identity), let number = files.number(of: next.identity), number > last
    else { return end.file }
    return next
  }

  private func enter(_ next: LogFileSet.Opened, at offset: off_t) {
    file = next
    self.offset = offset
    isFinished = false
    isSkipping = false
    dropBuffer()
  }

  private func read(_ file: LogFileSet.Opened) -> Bool {
    let number = file.descriptor.rawValue
    var limit = Self.blockSize
    if let end, end.file.identity == file.identity { limit = min(limit, max(0, Int(end.offset - offset))) }
    guard limit > 0 else { return false }
    if head > 0 {
      buffer.removeFirst(head)
      searched -= head
      head = 0
    }
    let kept = buffer.count
    let start = offset
    var count = 0
    buffer.reserveCapacity(kept + Self.blockSize)
    buffer.append(
      contentsOf: [UInt8](unsafeUninitializedCapacity: limit) { bytes, used in
        repeat { count = pread(number, bytes.baseAddress, limit, start) } while count < 0 && errno == EINTR
        used = max(count, 0)
      })
    offset += off_t(max(count, 0))
    if count == 0 { rewindIfTruncated(number) }
    if buffer.isEmpty { dropBuffer() }
    return count > 0
  }

  /// Someone emptied the file: what comes now begins at its beginning.
  private func rewindIfTruncated(_ number: CInt) {
    var status = stat()
    guard fstat(number, &status) == 0, status.st_size < offset else { return }
    offset = 0
    dropBuffer()
  }

  /// Goes to the beginning of the last `lines` lines of all files; true when that is the beginning of the oldest.
  private func moveBack(lines: Int) -> Bool {
    assembler = LogAssembler(service: assembler.service)
    file = nil
    guard var current = newest() else { return true }
    var missing = lines
    while true {
      let found = Self.findLines(missing, in: current.descriptor, before: length(of: current))
      if let start = found.start {
        enter(current, at: start)
        return false
      }
      missing -= found.count
      guard let older = files.open(before: current) else {
        enter(current, at: 0)
        return true
      }
      current = older
    }
  }

  /// Goes to the first record that is whole in the last `bytes` of all files.
  private func moveBack(bytes: off_t) {
    assembler = LogAssembler(service: assembler.service)
    file = nil
    guard var current = newest() else { return }
    var missing = bytes
    while true {
      let length = length(of: current)
      if length > missing {
        enter(current, at: length - missing)
        isSkipping = true
        return
      }
      missing -= length
      guard let older = files.open(before: current) else { return enter(current, at: 0) }
      current = older
    }
  }

  private func newest() -> LogFileSet.Opened? { hasFixedEnd ? end?.file : files.openNewest() }

  /// Octets of a file that are to be read.
  private func length(of file: LogFileSet.Opened) -> off_t {
    if let end, end.file.identity == file.identity { end.offset } else { file.size }
  }

  /// Looks for the beginning of the last `wanted` lines; without enough of them, says how many there are.
  private static func findLines(
    _ wanted: Int, in descriptor: borrowing Descriptor, before end: off_t
  ) -> (start: off_t?, count: Int) {
    var block = [UInt8](repeating: 0, count: blockSize)
    var position = end
    var newlines = 0
    while position > 0 {
      let length = min(position, off_t(blockSize))
      position -= length
      guard pread(descriptor.rawValue, &block, Int(length), position) == Int(length) else { break }
      var end = Int(length)
      while let index = block[..<end].lastIndex(of: 0x0A) {
        newlines += 1
        // The last line has a newline of its own behind it.
        if newlines > wanted { return (position + off_t(index) + 1, wanted) }
        end = index
      }
    }
    return (nil, newlines)
  }
}
