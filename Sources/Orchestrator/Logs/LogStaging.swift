import CLinux
import Glibc
import Kernel

/// Bytes that were taken from a service's pipe and are not in its log yet, in a file that outlives the process.
///
/// splice(2) moves bytes from a pipe to a file within one system call, which no signal interrupts. So at each moment a
/// byte is in one of the two. The file names the log of its bytes, and the log's end before them. A log only grows, and
/// only by these bytes. Once they are in the log, the file says so. So the next process knows what the log lacks,
/// whenever this one was killed.
///
/// The file is a page of header, which one pwrite(2) writes whole, and then bytes. One serves all pipes of a thread: what it took from
/// one is dealt with before it takes from another.
final class LogStaging {
  /// The end of a log.
  struct Place: Equatable {
    var file: LogFileSet.Identity
    var size: Int
  }

  /// Bytes that a killed process had taken, and that its log may lack.
  struct Remainder {
    var log: String
    var stream: LogStream
    /// The end of the log before these bytes.
    var place: Place
    var bytes: [UInt8]
  }

  private struct Header: Equatable {
    var log: String
    var stream: LogStream
    var place: Place
    /// The offset of the waiting bytes in the file.
    var begin: Int
  }

  private static let headerSize = 4096
  private static let words = 7
  private static let magic: UInt64 = 0x7374_6163_6B6C_6F67
  /// The size from which the file begins anew, once nothing waits in it.
  private static let longest = headerSize + 1 << 18

  private let path: String
  private var file: Descriptor?
  private var isUnavailable = false
  /// The header of the file, as written.
  private var header: Header?
  private var end = LogStaging.headerSize

  /// Opens nothing yet: the file is made with the first bytes, in a folder that must exist.
  init(path: String) {
    self.path = path
  }

  /// Moves bytes from a pipe to the file, and copies them to `buffer`.
  ///
  /// - Returns: how many, or as read(2) with `errno`. Nil for what is no pipe, or where no such file can be: read it then.
  func take(
    _ pipe: CInt, for log: String, _ stream: LogStream, endingAt place: Place,
    into buffer: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard let number = open(), write(Header(log: log, stream: stream, place: place, begin: end)) else { return nil }
    let count = stack_splice_to_file(pipe, number, off_t(end), buffer.count)
    guard count > 0 else { return count == 0 || errno == EAGAIN || errno == EINTR ? count : nil }
    let begin = end
    end += count
    var copied = 0
    while copied < count {
      let more = pread(number, buffer.baseAddress.map { $0 + copied }, count - copied, off_t(begin + copied))
      if more < 0, errno == EINTR { continue }
      // Nobody else has the file, and what was written a moment ago is in memory.
      guard more > 0 else { break }
      copied += more
    }
    return copied
  }

  /// The log goes on in another file.
  func moved(to place: Place) {
    guard var header, header.begin < end else { return }
    header.place = place
    _ = write(header)
  }

  /// The first `count` of the bytes that wait are in the log, which ends at `place` now.
  func passed(_ count: Int, to place: Place) {
    guard var header, header.begin < end else { return }
    header.begin = min(header.begin + count, end)
    header.place = place
    _ = write(header)
    if header.begin == end, end > Self.longest { empty() }
  }

  /// No byte waits any more: what is not in the log is kept in memory, or lost and counted.
  func giveUp() {
    guard let header else { return }
    passed(end - header.begin, to: header.place)
  }

  /// The bytes that an earlier process has left. They wait until `passed` is called.
  func remainder() -> Remainder? {
    guard let number = adopt(Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) else { return nil }
    var status = stat()
    guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 2 * Self.longest,
      let header = readHeader(number), header.begin < status.st_size
    else {
      empty()
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size) - header.begin)
    guard pread(number, &bytes, bytes.count, off_t(header.begin)) == bytes.count else { return nil }
    self.header = header
    end = Int(status.st_size)
    return Remainder(log: header.log, stream: header.stream, place: header.place, bytes: bytes)
  }

  /// Begins another file if somebody has taken the name from this one. No byte may be waiting.
  func restore() {
    guard access(path, F_OK) != 0 else { return }
    file = nil
    (header, end, isUnavailable) = (nil, Self.headerSize, false)
  }

  // MARK: The file

  private func open() -> CInt? {
    if let number = file?.rawValue { return number }
    guard !isUnavailable else { return nil }
    let opened = adopt(Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
    isUnavailable = opened == nil
    return opened
  }

  private func adopt(_ number: CInt) -> CInt? {
    guard number >= 0 else { return nil }
    file = Descriptor(adopting: number).raised()
    return file?.rawValue
  }

  /// Begins the file anew. A header that points behind its end says that nothing waits.
  private func empty() {
    guard let number = file?.rawValue, ftruncate(number, off_t(Self.headerSize)) == 0 else { return }
    end = Self.headerSize
    header = nil
  }

  /// False when that is not possible: then nothing may be taken.
  private func write(_ new: Header) -> Bool {
    guard new != header else { return true }
    guard let number = file?.rawValue else { return false }
    var page = [UInt8](repeating: 0, count: 8 * Self.words)
    page.append(contentsOf: new.log.utf8)
    guard page.count <= Self.headerSize else { return false }
    page.withUnsafeMutableBytes { bytes in
      let words = [
        Self.magic, UInt64(new.begin), UInt64(new.stream.rawValue), UInt64(new.place.file.device),
        UInt64(new.place.file.inode), UInt64(new.place.size), UInt64(new.log.utf8.count),
      ]
      for (index, word) in words.enumerated() { bytes.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self) }
    }
    let count = page.withUnsafeBytes { pwrite(number, $0.baseAddress, $0.count, 0) }
    guard count == page.count else { return false }
    header = new
    return true
  }

  private func readHeader(_ number: CInt) -> Header? {
    var page = [UInt8](repeating: 0, count: Self.headerSize)
    guard pread(number, &page, page.count, 0) == page.count else { return nil }
    let words = page.withUnsafeBytes { bytes in
      (0..<Self.words).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
    guard words[0] == Self.magic, let begin = Int(exactly: words[1]), begin >= Self.headerSize,
      let stream = UInt8(exactly: words[2]).flatMap(LogStream.init(rawValue:)), let size = Int(exactly: words[5]),
      let length = Int(exactly: words[6]), (1...page.count - 8 * Self.words).contains(length)
    else { return nil }
    let identity = LogFileSet.Identity(device: dev_t(words[3]), inode: ino_t(words[4]))
    let log = String(decoding: page[(8 * Self.words)..<(8 * Self.words + length)], as: UTF8.self)
    return Header(log: log, stream: stream, place: Place(file: identity, size: size), begin: begin)
  }
}
