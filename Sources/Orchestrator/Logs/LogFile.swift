import Glibc
import Kernel
import SystemPackage

/// The newest of a service's log files, open at its end, and the renaming of the older ones:
/// `web1.log`, then `web1.log.1` to `web1.log.4`.
///
/// Readers may rely on this: a file only grows while it has the name without a number, and never afterwards. It keeps
/// its inode. Its number only goes up. Only the oldest file is deleted.
struct LogFile: ~Copyable {
  let path: String
  let rotation: LogRotation
  /// Bytes in the newest file.
  private(set) var size = 0
  /// True if the last write stopped inside a record, whose rest belongs to the same file.
  private(set) var isMidRecord = false
  private var descriptor: Descriptor?
  private var identity: LogFileSet.Identity?
  private var nextLook = ContinuousClock.now
  private static let lookInterval = Duration.milliseconds(100)
  /// True if a line that was cut short gets its newline, so that it spoils no other.
  private let endsCutLine: Bool

  init(path: String, rotation: LogRotation, endsCutLine: Bool = true) {
    self.path = path
    self.rotation = rotation
    self.endsCutLine = endsCutLine
  }

  /// The end of the file; nil while it cannot be opened.
  mutating func place() -> LogStaging.Place? {
    guard open() == nil, let identity else { return nil }
    return LogStaging.Place(file: identity, size: size)
  }

  static func path(_ path: String, number: Int) -> String {
    number == 0 ? path : "\(path).\(number)"
  }

  /// Appends as much of `bytes` as the file system takes, and says how much that was and what kept the rest out.
  ///
  /// Starts a new file first when these bytes would make this one too large.
  ///
  /// Goes on in a new file, too, when somebody has renamed or removed this one.
  ///
  /// - Parameter willBegin: is told of a new file before it is written to.
  mutating func append(
    _ bytes: UnsafeRawBufferPointer, willBegin: (LogStaging.Place) -> Void = { _ in }
  ) -> (written: Int, failure: Errno?) {
    if !isMidRecord, descriptor != nil, hasLeftItsName() {
      leave()
      if let failure = open() { return (0, failure) }
      if let place = place() { willBegin(place) }
    }
    if let failure = open() { return (0, failure) }
    let isTooLarge = size > 0 && size + bytes.count > rotation.maximumSize
    if isTooLarge, !isMidRecord {
      if let failure = rotate() { return (0, failure) }
      if let place = place() { willBegin(place) }
    }
    var written = 0
    defer { if written > 0 { isMidRecord = bytes[written - 1] != UInt8(ascii: "\n") } }
    while written < bytes.count, let number = descriptor?.rawValue {
      let count = write(number, bytes.baseAddress.map { $0 + written }, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        return (written, Errno.last)
      }
      written += count
      size += count
    }
    return (written, nil)
  }

  /// Opens the newest file if it is not open.
  private mutating func open() -> Errno? {
    guard descriptor == nil else { return nil }
    let flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let number = Glibc.open(path, flags, 0o640)
    guard number >= 0 else { return Errno.last }
    let opened = Descriptor(adopting: number)
    var status = stat()
    guard fstat(number, &status) == 0 else { return Errno.last }
    guard status.st_mode & S_IFMT == S_IFREG else { return .invalidArgument }
    var last = UInt8(ascii: "\n")
    var newline = UInt8(ascii: "\n")
    if status.st_size > 0, pread(number, &last, 1, status.st_size - 1) == 1, last != newline, endsCutLine {
      guard write(number, &newline, 1) == 1 else { return Errno.last }
      status.st_size += 1
      last = newline
    }
    size = Int(status.st_size)
    isMidRecord = last != newline
    identity = LogFileSet.Identity(status)
    descriptor = consume opened
    return nil
  }

  private mutating func rotate() -> Errno? {
    if rotation.files > 1 {
      for number in stride(from: rotation.files - 2, through: 0, by: -1) {
        let older = Self.path(path, number: number + 1)
        if rename(Self.path(path, number: number), older) != 0, errno != ENOENT { return Errno.last }
      }
    } else if unlink(path) != 0, errno != ENOENT {
      return Errno.last
    }
    leave()
    return open()
  }

  /// From here on the file is another's to read, and nothing is written to it any more.
  private mutating func leave() {
    descriptor = nil
    size = 0
  }

  /// True if the name is another file's by now, or nobody's. Asks from time to time: output may come in many small pieces.
  private mutating func hasLeftItsName() -> Bool {
    let now = ContinuousClock.now
    guard now >= nextLook else { return false }
    nextLook = now + Self.lookInterval
    var status = stat()
    guard lstat(path, &status) == 0 else { return errno == ENOENT }
    guard LogFileSet.Identity(status) == identity else { return true }
    // Somebody who emptied the file has made room in it.
    size = min(size, Int(status.st_size))
    return false
  }
}

/// The size at which a log file is full, and the number of files that are kept.
package struct LogRotation: Hashable, Sendable {
  /// Bytes in one file. One that holds a single larger record is the exception.
  let maximumSize: Int
  /// Files in all, with the one being written.
  let files: Int

  /// As in Kubernetes, 10 MB and 5 files unless told otherwise. Both are at least 1.
  init(maximumSize: Int = 10_000_000, files: Int = 5) {
    self.maximumSize = max(maximumSize, 1)
    self.files = max(files, 1)
  }
}
