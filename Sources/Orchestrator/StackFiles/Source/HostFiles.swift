import CLinux
import Glibc
import Kernel
import SystemPackage

/// The files of this host, and `-` for standard input.
package struct HostFiles: FileReading {
  /// Ends the wait for what standard input brings.
  package var interruption = Interruption()

  package init(interruption: Interruption = Interruption()) {
    self.interruption = interruption
  }

  package func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
    guard path != StackFileLoader.standardInput else { return try readInput(limit: limit) }
    guard !path.utf8.contains(0) else { throw .refused("the path holds a NUL character") }
    // Opening a device is already an order to it: a watchdog begins to count.
    var status = stat()
    if stat(path, &status) == 0, let kind = Self.kind(of: status.st_mode) { throw .notAFile(kind) }
    // O_NONBLOCK: opening a FIFO that nobody writes to must not hang (open(2)). It changes nothing for regular files.
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else {
      let error = Errno(rawValue: errno)
      throw error == .noSuchFileOrDirectory ? .missing : .refused("\(error)")
    }
    let descriptor = Descriptor(adopting: number)
    guard fstat(descriptor.rawValue, &status) == 0 else { throw .refused("\(Errno(rawValue: errno))") }
    if let kind = Self.kind(of: status.st_mode) { throw .notAFile(kind) }
    guard status.st_size <= limit else { throw .tooLarge(limit: limit) }
    return try readAll(descriptor, expecting: Int(status.st_size), limit: limit)
  }

  private func readInput(limit: Int) throws(FileReadingError) -> [UInt8] {
    let number = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    guard number >= 0 else { throw .refused("\(Errno(rawValue: errno))") }
    return try readAll(Descriptor(adopting: number), expecting: 0, limit: limit) { () throws(FileReadingError) in
      try awaitInput()
    }
  }

  private func awaitInput() throws(FileReadingError) {
    var waiting = [STDIN_FILENO, interruption.wake?.rawValue ?? -1].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    poll(&waiting, nfds_t(waiting.count), -1)
    if interruption.isInterrupted() { throw .refused("interrupted") }
  }

  /// The file may grow meanwhile, and those of /proc say that they are empty: the limit counts what is read.
  private func readAll(
    _ descriptor: borrowing Descriptor, expecting size: Int, limit: Int,
    onceReadable: () throws(FileReadingError) -> Void = {}
  ) throws(FileReadingError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 1)
    var buffer = [UInt8](repeating: 0, count: min(max(size + 1, 4096), 65536))
    while true {
      try onceReadable()
      let count = Glibc.read(descriptor.rawValue, &buffer, buffer.count)
      if count < 0 {
        let error = Errno(rawValue: errno)
        if error == .interrupted { continue }
        throw .refused("\(error)")
      }
      if count == 0 { return bytes }
      bytes += buffer.prefix(count)
      guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
    }
  }

  /// Nil for a regular file.
  private static func kind(of mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "not a regular file"
    }
  }
}
