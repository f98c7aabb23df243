import Glibc
import Kernel
import SystemPackage

/// Memory that the writers of one thread share: none of it is in use between two calls.
package final class LogScratch {
  let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
  let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
  /// Keeps what is on its way to a log; nil where it may be lost with the process.
  let staging: LogStaging?

  /// - Parameter staging: a file, in memory, for what is on its way to a log; nil for none.
  init(staging: String? = nil) {
    self.staging = staging.map(LogStaging.init)
  }

  deinit {
    input.deallocate()
    output.deallocate()
  }
}

/// Writes what a service puts out to its log file, in the CRI log format, rotated by size.
///
/// Bytes are on their way to the file when a call returns: nothing waits here for the end of its line. And until they are in it
/// they stand in a ``LogStaging``, so that a supervisor that is killed at any moment takes no output along. A part of a line is a `P` record, and so is each 16 KB of a long one.
///
/// Nothing here fails or waits for space. What the file system does not take is kept, up to ``backlogLimit`` bytes, and
/// beyond that dropped, counted and said in the log once there is space: `stack: dropped 4096 bytes (No space left on device)`.
package final class LogWriter {
  /// Bytes kept while they cannot be written.
  static let backlogLimit = 1 << 18

  /// The result of a read.
  enum Progress: Equatable, Sendable {
    /// There may be more: call again when the descriptor is readable.
    case more
    /// The last writer has closed its end.
    case ended
    /// Reading failed for good.
    case failed(Errno)
  }

  /// Bytes of output that were lost, ever.
  private(set) var droppedBytes: UInt64 = 0
  /// The error of the last attempt to write. Nil if it succeeded.
  private(set) var failure: Errno?

  private let scratch: LogScratch
  private let clock: () -> LogTime
  private var file: LogFile
  private let batchLimit: Int

  /// The batch in `scratch.output`: its bytes, and how many of them are the service's own.
  private var batchCount = 0
  private var batchContent = 0
  /// Streams (one bit each) that have records in the batch, and those whose last one there is a part.
  private var batchStreams: UInt8 = 0
  private var batchOpenStreams: UInt8 = 0
  /// Streams whose last record that is written or kept is a part.
  private var openStreams: UInt8 = 0
  /// Records, perhaps without the first bytes of the first, that could not be written yet.
  private var backlog: [UInt8] = []
  private var unreportedBytes: UInt64 = 0
  private var dropReason: Errno?
  /// Bytes of the next batch that are in the file already.
  private var alreadyWritten = 0

  /// Opens nothing yet: the file is made with the first output, in a folder that must exist.
  package init(
    path: String, rotation: LogRotation = LogRotation(), scratch: LogScratch = LogScratch(),
    endsCutLine: Bool = true, clock: @escaping () -> LogTime = { .now }
  ) {
    file = LogFile(path: path, rotation: rotation, endsCutLine: endsCutLine)
    self.scratch = scratch
    self.clock = clock
    batchLimit = min(scratch.output.count, rotation.maximumSize)
  }

  /// True if something waits to be written that ``flush()`` may get rid of: call it from time to time.
  var needsFlush: Bool { !backlog.isEmpty || unreportedBytes > 0 }

  /// Reads what is there, at most `budget` bytes, from a non-blocking pipe or FIFO.
  func drain(_ descriptor: FileDescriptor, _ stream: LogStream, budget: Int = 1 << 20) -> Progress {
    var total = 0
    while total < budget {
      let count = take(descriptor.rawValue, stream)
      guard count > 0 else {
        if count == 0 { return .ended }
        if errno == EINTR { continue }
        return errno == EAGAIN ? .more : .failed(Errno.last)
      }
      split(UnsafeRawBufferPointer(rebasing: scratch.input[..<count]), stream)
      writeBatch()
      total += count
    }
    return .more
  }

  /// Reads as read(2) does. While the log cannot be written, the bytes are kept in memory alone.
  private func take(_ descriptor: CInt, _ stream: LogStream) -> Int {
    if let staging = scratch.staging, !needsFlush, let place = file.place(),
      let count = staging.take(descriptor, for: file.path, stream, endingAt: place, into: scratch.input)
    {
      return count
    }
    return read(descriptor, scratch.input.baseAddress, scratch.input.count)
  }

  /// Writes what a process before this one had taken from a pipe and may not have written to its log, each byte once.
  ///
  /// - Returns: the log's writer, if there was something; see ``needsFlush``.
  static func finishStaged(_ scratch: LogScratch, rotation: LogRotation = LogRotation()) -> LogWriter? {
    guard let rest = scratch.staging?.remainder() else { return nil }
    let (written, time) = LogFile.written(since: rest.place, path: rest.log)
    let writer = LogWriter(
      path: rest.log, rotation: rotation, scratch: scratch, endsCutLine: written == 0, clock: { time ?? .now })
    writer.alreadyWritten = written
    // The same bytes make the same records, so what is in the file is the beginning of the first batch.
    rest.bytes.withUnsafeBytes { writer.append($0, rest.stream) }
    return writer
  }

  /// Writes `bytes`, any bytes, as output of `stream`.
  package func append(_ bytes: UnsafeRawBufferPointer, _ stream: LogStream) {
    split(bytes, stream)
    writeBatch()
  }

  /// Tries again to write what could not be written; true when nothing is left.
  @discardableResult
  func flush() -> Bool {
    writeBacklog()
    return !needsFlush
  }

  // MARK: Records

  private func split(_ bytes: UnsafeRawBufferPointer, _ stream: LogStream) {
    guard var next = bytes.baseAddress else { return }
    // One reading of the clock for what came at once.
    let time = clock()
    let end = next + bytes.count
    let bit = UInt8(1) << stream.rawValue
    var header = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    withUnsafeMutableBytes(of: &header) { header in
      LogRecord.writeHeader(time, stream, isPartial: false, to: header)
      while next < end {
        let window = min(next.distance(to: end), LogRecord.longestContent)
        let newline = memchr(next, 0x0A, window)
        let length = newline.map { next.distance(to: UnsafeRawPointer($0)) } ?? window
        header[LogRecord.headerLength - 2] = newline == nil ? UInt8(ascii: "P") : UInt8(ascii: "F")
        if batchCount > 0, batchCount + LogRecord.headerLength + length + 1 > batchLimit { writeBatch() }
        put(UnsafeRawBufferPointer(header))
        put(UnsafeRawBufferPointer(start: next, count: length))
        scratch.output[batchCount] = 0x0A
        batchCount += 1
        batchContent += newline == nil ? length : length + 1
        batchStreams |= bit
        if newline == nil { batchOpenStreams |= bit } else { batchOpenStreams &= ~bit }
        next += newline == nil ? length : length + 1
      }
    }
  }

  /// The output is far larger than a record and was emptied if this one did not fit.
  private func put(_ bytes: UnsafeRawBufferPointer) {
    UnsafeMutableRawBufferPointer(rebasing: scratch.output[batchCount...]).copyMemory(from: bytes)
    batchCount += bytes.count
  }

  // MARK: Writing

  private func writeBatch() {
    guard batchCount > 0 else { return }
    defer {
      batchCount = 0
      batchContent = 0
      batchStreams = 0
      batchOpenStreams = 0
    }
    writeBacklog()
    var written = 0
    if !needsFlush {
      let begin = min(alreadyWritten, batchCount)
      alreadyWritten = 0
      (written, failure) = file.append(UnsafeRawBufferPointer(rebasing: scratch.output[begin..<batchCount])) {
        scratch.staging?.moved(to: $0)
      }
      written += begin
      if written == batchCount {
        if let place = file.place() { scratch.staging?.passed(batchContent, to: place) }
        return acceptBatch()
      }
    }
    scratch.staging?.giveUp()
    // A batch of which a part is in the file has to be finished, whatever its size: half a record would spoil the next.
    let rest = scratch.output[written..<batchCount]
    if unreportedBytes == 0, written > 0 || backlog.count + rest.count <= Self.backlogLimit {
      backlog += rest
      acceptBatch()
    } else {
      droppedBytes += UInt64(batchContent)
      unreportedBytes += UInt64(batchContent)
      dropReason = failure
    }
  }

  private func acceptBatch() {
    openStreams = openStreams & ~batchStreams | batchOpenStreams
  }

  private func writeBacklog() {
    guard needsFlush else { return }
    if !writeKept() { return }
    guard unreportedBytes > 0 else { return }
    let reason = dropReason.map { " (\($0))" } ?? ""
    let notice = "stack: dropped \(unreportedBytes) bytes\(reason)"
    // An unfinished line would go on in lost bytes, so it ends here.
    for stream in LogStream.allCases where openStreams & (1 << stream.rawValue) != 0 {
      backlog += LogRecord.encode([], clock(), stream)
    }
    backlog += LogRecord.encode(notice.utf8, clock(), .stderr)
    openStreams = 0
    unreportedBytes = 0
    _ = writeKept()
  }

  private func writeKept() -> Bool {
    while !backlog.isEmpty {
      // The rest of a record goes first and alone, so that the others may begin a new file.
      let end = file.isMidRecord ? (backlog.firstIndex(of: 0x0A) ?? backlog.count - 1) + 1 : backlog.count
      let written: Int
      (written, failure) = backlog.withUnsafeBytes { file.append(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
      backlog.removeFirst(written)
      guard written == end else { return false }
    }
    backlog = []
    return true
  }
}
