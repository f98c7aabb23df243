import Glibc
import Kernel

extension LogFile {
  /// The number of bytes that a killed process had written to a log beyond `place`, and their time.
  ///
  /// A record whose time is cut off is removed again.
  static func written(since place: LogStaging.Place, path: String) -> (count: Int, time: LogTime?) {
    let number = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return (0, nil) }
    let log = Descriptor(adopting: number)
    var status = stat()
    guard fstat(log.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      LogFileSet.Identity(status) == place.file, status.st_size > place.size
    else { return (0, nil) }
    let count = Int(status.st_size) - place.size
    var head = [UInt8](repeating: 0, count: LogRecord.headerLength)
    guard count >= head.count, pread(log.rawValue, &head, head.count, off_t(place.size)) == head.count,
      let record = head.withUnsafeBytes({ LogRecord(line: $0) })
    else {
      ftruncate(log.rawValue, off_t(place.size))
      return (0, nil)
    }
    return (count, record.time)
  }
}
