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

  /// Begins at the oldest entry. Files that were last written before `since` may be left out.
  init(service: String, path: String, since: LogTime? = nil) {
    files = LogFileSet(path: path)
    assembler = LogAssembler(service: service)
    self.since = since
  }

  /// True if the beginning of a line has been read, and not its end.
  var hasPartial: Bool { assembler.hasPartial }

  /// The file that the next bytes will come from, on loan.
  var fileDescriptor: FileDescriptor? {
    switch file {
    case .some(let file): file.descriptor.fileDescriptor
    case .none: nil
    }
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
    if file == nil {
      guard let oldest = files.openOldest(since: since) else { return false }
      enter(oldest, at: 0)
    }
    // Files are few, and each turn either reads or gets nearer to the newest.
    for _ in 0..<1_000 {
      let identity: LogFileSet.Identity
      switch file {
      case .some(let file):
        if read(file.descriptor) { return true }
        identity = file.identity
      case .none: return false
      }
      if isFinished {
        guard let next = files.open(after: identity) else { return false }
        enter(next, at: 0)
      } else if files.number(of: identity) == 0 {
        return false
      } else {
        // Bytes may have come between the read and the renaming, none after it: read once more.
        isFinished = true
      }
    }
    return false
  }

  private func enter(_ next: consuming LogFileSet.Opened, at offset: off_t) {
    file = consume next
    self.offset = offset
    isFinished = false
    isSkipping = false
    dropBuffer()
  }

  private func read(_ descriptor: borrowing Descriptor) -> Bool {
    let number = descriptor.rawValue
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
      contentsOf: [UInt8](unsafeUninitializedCapacity: Self.blockSize) { bytes, used in
        repeat { count = pread(number, bytes.baseAddress, bytes.count, start) } while count < 0 && errno == EINTR
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
    guard var current = files.openNewest() else { return true }
    var missing = lines
    while true {
      let found = Self.findLines(missing, in: current.descriptor)
      if let start = found.start {
        enter(current, at: start)
        return false
      }
      missing -= found.count
      guard let older = files.open(before: current.identity) else {
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
    guard var current = files.openNewest() else { return }
    var missing = bytes
    while true {
      var status = stat()
      fstat(current.descriptor.rawValue, &status)
      if status.st_size > missing {
        enter(current, at: status.st_size - missing)
        isSkipping = true
        return
      }
      missing -= status.st_size
      guard let older = files.open(before: current.identity) else { return enter(current, at: 0) }
      current = older
    }
  }

  /// Looks for the beginning of the last `wanted` lines; without enough of them, says how many there are.
  private static func findLines(_ wanted: Int, in descriptor: borrowing Descriptor) -> (start: off_t?, count: Int) {
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0 else { return (nil, 0) }
    var block = [UInt8](repeating: 0, count: blockSize)
    var position = status.st_size
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
