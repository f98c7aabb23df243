import CLinux
import Glibc
import Kernel
import SystemPackage

/// The caller's 0, 1 and 2 as a command in a container gets them: what is a terminal is kept from it.
///
/// Whoever holds a terminal reads what is typed at it, also after the command has ended, writes to it and sets it. So a pipe takes
/// the place of each terminal, and ``Foreground/carry(_:until:)`` carries bytes between the two. Files, pipes and sockets are
/// passed on as they are.
struct CallersStreams: ~Copyable {
  /// A pipe in the place of a terminal; none until it is made.
  struct Pipe: ~Copyable {
    private var ours: Descriptor?
    private var commands: Descriptor?

    /// The descriptor of our end; -1, which poll(2) skips, if there is none.
    var number: CInt {
      switch ours {
      case .some(let descriptor): descriptor.rawValue
      case .none: -1
      }
    }

    /// - Parameter isRead: whether the command reads from it.
    /// - Returns: the command's end. It waits, and ours does not.
    fileprivate mutating func make(isRead: Bool) throws(KernelError) -> FileDescriptor {
      var ends: (read: CInt, write: CInt) = (-1, -1)
      try check("make", "a pipe") { stack_pipe(&ends.read, &ends.write) }
      let (ours, commands) = isRead ? (ends.write, ends.read) : (ends.read, ends.write)
      self.ours = Descriptor(adopting: ours)
      self.commands = Descriptor(adopting: commands)
      if isRead {
        _ = fcntl(commands, F_SETFL, O_RDONLY)
        _ = fcntl(ours, F_SETFL, O_WRONLY | O_NONBLOCK)
      }
      return FileDescriptor(rawValue: commands)
    }

    fileprivate mutating func letGo() { commands = nil }
    mutating func close() { ours = nil }
  }

  /// The descriptors 0, 1 and 2 for the command; nil is closed in the caller.
  private(set) var given: [FileDescriptor?] = []
  var input = Pipe()
  var output = Pipe()
  var error = Pipe()

  /// The caller's own, whatever they are.
  init() throws(KernelError) {
    for number in CInt(0)..<3 {
      // Closed in the caller: the next file that the command opens must not become its standard output.
      given.append(fcntl(number, F_GETFD) >= 0 ? FileDescriptor(rawValue: number) : nil)
    }
    if isatty(0) == 1 { given[0] = try input.make(isRead: true) }
    if isatty(1) == 1 { given[1] = try output.make(isRead: false) }
    guard isatty(2) == 1 else { return }
    // With both at one terminal, one pipe keeps the order of what is written to the two.
    given[2] = isatty(1) == 1 && Self.isSameFile(1, 2) ? given[1] : try error.make(isRead: false)
  }

  /// True if there is anything to be carried.
  var carries: Bool { input.number >= 0 || output.number >= 0 || error.number >= 0 }

  /// Closes our copies once the command has its ends. Then a pipe ends with its last other holder.
  mutating func letGo() {
    input.letGo()
    output.letGo()
    error.letGo()
  }

  private static func isSameFile(_ first: CInt, _ second: CInt) -> Bool {
    var (one, other) = (stat(), stat())
    return fstat(first, &one) == 0 && fstat(second, &other) == 0 && one.st_dev == other.st_dev
      && one.st_ino == other.st_ino
  }
}

extension Foreground {
  /// Milliseconds between two looks of a background caller whether it may read.
  private static let pause: CInt = 250

  /// Carries bytes between the caller's terminal and the command's pipes until the command has ended. What it has written by
  /// then is written; others that it left behind may hold the pipes, and are not waited for.
  func carry(_ streams: inout CallersStreams, until process: borrowing Descriptor) throws(KernelError) {
    var pending: ArraySlice<UInt8> = []
    while true {
      let reads = streams.input.number >= 0 && pending.isEmpty
      let mayRead = !reads || Self.mayRead
      var watched = [
        pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: streams.output.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: streams.error.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: reads && mayRead ? 0 : -1, events: Int16(POLLIN), revents: 0),
        // Watched also with nothing to write: that the command has closed its end is an event of its own.
        pollfd(fd: streams.input.number, events: Int16(pending.isEmpty ? 0 : POLLOUT), revents: 0),
      ]
      try check("wait for", "the command") { poll(&watched, 6, mayRead ? -1 : Self.pause) }
      if watched[1].revents != 0 { passSignalsOn(to: process, terminal: -1) }
      if watched[2].revents != 0, !Self.move(from: streams.output.number, to: 1) { streams.output.close() }
      if watched[3].revents != 0, !Self.move(from: streams.error.number, to: 2) { streams.error.close() }
      // A pager may have begun while this one waited.
      if watched[4].revents != 0, Self.mayRead, !Self.readTyped(into: &pending) { streams.input.close() }
      if watched[5].revents & Int16(POLLERR) != 0 || !Self.write(&pending, to: streams.input.number) {
        streams.input.close()
        pending = []
      }
      guard watched[0].revents != 0 else { continue }
      for (pipe, target) in [(streams.output.number, CInt(1)), (streams.error.number, 2)] where pipe >= 0 {
        for _ in 0..<4096 where !Self.move(from: pipe, to: target, isLast: true) { break }
      }
      return
    }
  }

  /// True if the terminal's input is for the command: the caller is in the foreground. A read in the background would
  /// stop the caller (SIGTTIN in termios(3)). A terminal that is not the controlling one has no foreground. A program
  /// that took it out of canonical mode, such as a pager, reads the keys itself.
  private static var mayRead: Bool {
    let group = tcgetpgrp(0)
    guard group < 0 || group == getpgrp() else { return false }
    var mode = termios()
    return tcgetattr(0, &mode) != 0 || mode.c_lflag & tcflag_t(ICANON) != 0
  }

  /// - Parameter isLast: whether an empty pipe counts as one that has ended.
  /// - Returns: false when the pipe has ended, or the caller takes no more.
  private static func move(from pipe: CInt, to target: CInt, isLast: Bool = false) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = read(pipe, &chunk, chunk.count)
    guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN && !isLast) }
    do {
      try FileDescriptor(rawValue: target).writeInFull(chunk[..<count])
      return true
    } catch {
      return false
    }
  }

  /// False at the end of input.
  private static func readTyped(into pending: inout ArraySlice<UInt8>) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = read(0, &chunk, chunk.count)
    if count > 0 { pending = chunk[..<count] }
    return count > 0 || count < 0 && (errno == EINTR || errno == EAGAIN)
  }

  /// Writes what the pipe takes; false when nobody reads it any more.
  private static func write(_ pending: inout ArraySlice<UInt8>, to pipe: CInt) -> Bool {
    while !pending.isEmpty {
      let count = pending.withUnsafeBytes { Glibc.write(pipe, $0.baseAddress, $0.count) }
      if count >= 0 {
        pending = pending.dropFirst(count)
      } else if errno != EINTR {
        return errno == EAGAIN
      }
    }
    return true
  }
}
