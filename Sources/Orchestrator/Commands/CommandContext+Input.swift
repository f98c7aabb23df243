import Glibc

extension CommandContext {
  /// A line that is typed, without its end; nil for the end of the input, or when the user wants to stop.
  package func readLine() -> String? {
    var line: [UInt8] = []
    while true {
      var watched = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&watched, 2, -1) > 0 || errno == EINTR, !interruption.isInterrupted() else { return nil }
      guard watched[0].revents != 0 else { continue }
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1 else { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
      if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
  }
}
