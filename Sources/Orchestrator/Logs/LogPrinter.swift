import Glibc
import Kernel
import SystemPackage

/// Writes log lines to a terminal or a pipe: `web1  | GET / 200`.
///
/// Text goes out byte for byte, but to a terminal, which is not to obey a service (`VisibleText`). The descriptor is borrowed and may be non-blocking.
package final class LogPrinter {
  package struct Style: Hashable, Sendable {
    /// Begin each line with its service's name.
    var prefix: Bool
    /// Give each service's name a colour of its own.
    var colour: Bool
    /// Put the time before the text.
    package var timestamps: Bool
    /// True if control characters are shown instead of sent to a terminal.
    package var showsControls: Bool

    package init(
      prefix: Bool = true, colour: Bool = false, timestamps: Bool = false, showsControls: Bool = false
    ) {
      self.showsControls = showsControls
      self.prefix = prefix
      self.colour = colour
      self.timestamps = timestamps
    }
  }

  /// Cyan, yellow, green, magenta, blue, then the same brighter: readable on dark and on light, and none is an error's red.
  private static let colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]
  private static let bufferSize = 1 << 16

  /// A pipe or terminal that is ready takes so much without keeping its writer waiting (PIPE_BUF in pipe(7)).
  private static let readyBytes = 4096

  private let descriptor: FileDescriptor
  private let interruption: Interruption
  private let pieceSize: Int
  private let style: Style
  private let width: Int
  private var prefixes: [String: [UInt8]] = [:]
  private var buffer: [UInt8] = []
  /// The service and stream whose line has not ended on the screen.
  private var unfinished: (service: String, stream: LogStream)?

  /// `services` are known beforehand, so that their lines stand under each other from the first.
  ///
  /// - Parameter interruption: ends a write that nobody takes, and is looked at between any two.
  package init(
    _ descriptor: FileDescriptor, services: [String], style: Style = Style(),
    interruption: Interruption = Interruption()
  ) {
    self.descriptor = descriptor
    self.interruption = interruption
    var status = stat()
    let isFile = fstat(descriptor.rawValue, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    pieceSize = isFile ? Self.bufferSize : Self.readyBytes
    self.style = style
    width = services.map(\.count).max() ?? 0
    for (index, service) in services.enumerated() {
      prefixes[service] = prefix(service, colour: Self.colours[index % Self.colours.count])
    }
  }

  /// Adds a line; what has gathered is written when it is much. Call ``flush()`` before waiting for more.
  ///
  /// Fails with EPIPE when nobody reads any more (SIGPIPE has to be ignored for that), or with what write(2) says.
  package func print(_ entry: LogEntry) throws(KernelError) {
    let goesOn = entry.isContinuation && unfinished.map { $0 == (entry.service, entry.stream) } ?? false
    if !goesOn {
      if unfinished != nil { buffer.append(0x0A) }
      if style.prefix { buffer += prefixes[entry.service] ?? prefix(entry.service, colour: 0) }
      if style.timestamps { buffer += Array("\(entry.time) ".utf8) }
    }
    if style.showsControls {
      // A terminal's lines end with CR LF, and so do those of a service that has one.
      let text = !entry.isPartial && entry.text.last == 0x0D ? entry.text.dropLast() : entry.text[...]
      buffer += VisibleText.line(text)
    } else {
      buffer += entry.text
    }
    if entry.isPartial {
      unfinished = (entry.service, entry.stream)
    } else {
      buffer.append(0x0A)
      unfinished = nil
    }
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Ends a line that has not ended by itself, where lines have prefixes, and writes everything.
  package func finish() throws(KernelError) {
    if unfinished != nil, style.prefix { buffer.append(0x0A) }
    unfinished = nil
    try flush()
  }

  /// Writes everything, however slowly it is taken. Fails with EINTR when interrupted.
  package func flush() throws(KernelError) {
    // Text that could not be written is dropped: a terminal that is gone stays gone.
    defer { buffer.removeAll(keepingCapacity: true) }
    var written = 0
    while written < buffer.count {
      try awaitRoom()
      let count = buffer.withUnsafeBytes {
        write(descriptor.rawValue, $0.baseAddress.map { $0 + written }, min(buffer.count - written, pieceSize))
      }
      guard count < 0 else {
        written += count
        continue
      }
      guard errno == EINTR || errno == EAGAIN else { throw KernelError("write to", "the output", errno: .last) }
    }
  }

  private func awaitRoom() throws(KernelError) {
    while true {
      // A negative number is skipped (poll(2)).
      var waiting = [
        pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let ready = poll(&waiting, nfds_t(waiting.count), -1)
      if waiting[1].revents != 0 || ready < 0, interruption.isInterrupted() {
        throw KernelError("write to", "the output", errno: .interrupted)
      }
      if waiting[0].revents != 0 { return }
    }
  }

  private func prefix(_ service: String, colour: Int) -> [UInt8] {
    let name = service + String(repeating: " ", count: max(width - service.count, 0)) + "  | "
    return Array((style.colour && colour > 0 ? "\u{1B}[\(colour)m\(name)\u{1B}[0m" : name).utf8)
  }
}
