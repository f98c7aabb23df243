import CLinux
import Glibc
import Kernel
import SystemPackage

/// The caller's side of a command in the foreground: passes signals on, and carries bytes between the caller's terminal
/// and the command's. Signals are held back and the terminal's mode kept for as long as this lives, so that both are put
/// back whichever way it ends.
struct Foreground: ~Copyable {
  let signals: Descriptor
  private let formerMask: [UInt8]

  init() throws(KernelError) {
    var former = [UInt8](repeating: 0, count: stack_signal_set_size())
    former.withUnsafeMutableBytes { stack_block_signals($0.baseAddress) }
    formerMask = former
    do {
      signals = Descriptor(adopting: try check("watch", "signals") { stack_signal_descriptor() })
    } catch {
      former.withUnsafeBytes { stack_restore_signals($0.baseAddress) }
      throw error
    }
  }

  deinit {
    formerMask.withUnsafeBytes { stack_restore_signals($0.baseAddress) }
  }

  /// rows << 16 | columns of the terminal that standard input or output is, or 0.
  static func callersTerminalSize() -> UInt64 {
    var rows: UInt16 = 0
    var columns: UInt16 = 0
    for number in CInt(0)...1 where stack_terminal_size(number, &rows, &columns) == 0 {
      return UInt64(rows) << 16 | UInt64(columns)
    }
    return 0
  }

  /// Until the process has ended.
  func wait(for process: borrowing Descriptor) throws(KernelError) {
    var watched = [
      pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      try check("wait for", "the command") { poll(&watched, 2, -1) }
      if watched[1].revents != 0 { passSignalsOn(to: process, terminal: -1) }
      if watched[0].revents != 0 { return }
    }
  }

  /// Carries bytes both ways until the process has ended and what it wrote has been written.
  func relay(_ terminal: borrowing Descriptor, until process: borrowing Descriptor) throws(KernelError) {
    let mode = RawMode()
    defer { mode.restore() }
    _ = fcntl(terminal.rawValue, F_SETFL, O_RDWR | O_NONBLOCK)
    var relay = Relay(terminal: terminal.rawValue)
    while true {
      var watched = [
        pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
        pollfd(fd: terminal.rawValue, events: relay.terminalEvents, revents: 0),
        pollfd(fd: relay.wantsInput ? 0 : -1, events: Int16(POLLIN), revents: 0),
      ]
      try check("wait for", "the command") { poll(&watched, 4, -1) }
      if watched[1].revents != 0 { passSignalsOn(to: process, terminal: terminal.rawValue) }
      if watched[3].revents != 0 { relay.readInput() }
      if watched[2].revents != 0 { relay.exchange() }
      if watched[0].revents != 0 {
        relay.drain()
        return
      }
      if relay.hasEnded {
        // The command lives on without its terminal: keys that mean signals mean them to the caller again, who passes them on.
        mode.restore()
        return try wait(for: process)
      }
    }
  }

  func passSignalsOn(to process: borrowing Descriptor, terminal: CInt) {
    while case let signal = stack_next_signal(signals.rawValue), signal != 0 {
      switch signal {
      case SIGCHLD, SIGPIPE: continue
      case SIGWINCH:
        let size = Self.callersTerminalSize()
        if terminal >= 0, size != 0 {
          _ = stack_set_terminal_size(
            terminal, UInt16(truncatingIfNeeded: size >> 16), UInt16(truncatingIfNeeded: size))
        }
      default: _ = stack_pidfd_send_signal(process.rawValue, signal)
      }
    }
  }
}

/// Bytes on their way between the caller's 0 and 1 and a terminal's master.
private struct Relay {
  let terminal: CInt
  private var inputIsOpen = true
  /// The other side has closed.
  private(set) var hasEnded = false
  private var pending: ArraySlice<UInt8> = []
  private var outputClosed = false

  init(terminal: CInt) {
    self.terminal = terminal
  }

  var wantsInput: Bool { inputIsOpen && pending.isEmpty }

  var terminalEvents: Int16 { Int16(pending.isEmpty ? POLLIN : POLLIN | POLLOUT) }

  /// Reads no more than the terminal takes: the rest waits where it is.
  mutating func readInput() {
    guard pending.isEmpty else { return }
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(0, &chunk, chunk.count)
    if count > 0 {
      pending = chunk[..<count]
    } else if count == 0 || errno != EINTR && errno != EAGAIN {
      // End of input is typed, as a person would type it.
      pending = [4]
      inputIsOpen = false
    }
    writePending()
  }

  mutating func exchange() {
    writePending()
    _ = readOutput()
  }

  /// Reads the rest of the output when the command has ended. It does not wait for other processes that hold the
  /// terminal.
  mutating func drain() {
    for _ in 0..<4096 where !readOutput() { return }
  }

  private mutating func writePending() {
    while !pending.isEmpty {
      let count = pending.withUnsafeBytes { Glibc.write(terminal, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN { pending = [] }
        return
      }
      pending = pending.dropFirst(count)
    }
  }

  private mutating func readOutput() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(terminal, &chunk, chunk.count)
    if count <= 0 {
      if count == 0 || errno != EAGAIN && errno != EINTR { hasEnded = true }
      return false
    }
    writeOutput(chunk[..<count])
    return true
  }

  /// A reader of ours that has gone takes nothing away from the command: its output is dropped.
  private mutating func writeOutput(_ bytes: ArraySlice<UInt8>) {
    guard !outputClosed else { return }
    do {
      try FileDescriptor.standardOutput.writeInFull(bytes)
    } catch {
      outputClosed = true
    }
  }
}
