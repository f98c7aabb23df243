import CLinux
import Glibc
import Kernel
import Synchronization
import SystemPackage

/// Carries the caller's standard input to a running service, on a thread of its own. It stops when the input ends, or
/// when the keys ctrl-p ctrl-q are typed, as with Docker.
///
/// If the service has a terminal, the caller's terminal is in raw mode for the lifetime of this object.
public final class AttachedInput: Sendable {
  /// ctrl-p ctrl-q
  private static let usualDetachKeys: [UInt8] = [0x10, 0x11]

  private let target: Descriptor
  private let isTerminal: Bool
  private let detachKeys: [UInt8]
  private let mode: RawMode?
  private let wake: Descriptor
  /// Readable when the caller's window has another size.
  private let resized: Descriptor
  private let hasDetached = Atomic(false)

  /// - Parameters:
  ///   - target: a terminal's master, or a FIFO.
  ///   - isTerminal: whether it is a terminal: then the keys that detach are looked for.
  ///   - detachKeys: these keys; nil for ctrl-p ctrl-q. Never empty.
  public init(
    to target: consuming Descriptor, isTerminal: Bool, detachKeys: [UInt8]? = nil
  ) throws(KernelError) {
    self.target = target
    self.isTerminal = isTerminal
    self.detachKeys = detachKeys ?? Self.usualDetachKeys
    wake = Descriptor(adopting: try check("create", "an event") { eventfd(0, CInt(EFD_CLOEXEC)) })
    mode = isTerminal ? RawMode() : nil
    resized = try Self.watchWindow()
    if isTerminal { takeOverSize() }
  }

  deinit { mode?.restore() }

  /// Puts the caller's terminal back as it was.
  public func restore() { mode?.restore() }

  /// Readable once the keys were typed.
  public var detached: FileDescriptor { wake.fileDescriptor }
  public var isDetached: Bool { hasDetached.load(ordering: .acquiring) }

  /// Begins to carry. The thread ends with the input or with the program.
  public func start() throws(KernelError) {
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<AttachedInput>.fromOpaque(argument).takeRetainedValue().carry() }
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard failure == 0 else { throw KernelError("start", "a thread", errno: Errno(rawValue: failure)) }
    pthread_detach(thread)
  }

  private static func watchWindow() throws(KernelError) -> Descriptor {
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, SIGWINCH)
    pthread_sigmask(SIG_BLOCK, &mask, nil)
    return Descriptor(
      adopting: try check("create", "a signalfd") { signalfd(-1, &mask, CInt(SFD_CLOEXEC | SFD_NONBLOCK)) })
  }

  private func takeOverSize() {
    let size = Foreground.callersTerminalSize()
    guard size != 0 else { return }
    _ = stack_set_terminal_size(
      target.rawValue, UInt16(truncatingIfNeeded: size >> 16), UInt16(truncatingIfNeeded: size))
  }

  /// Returns once there is input, having followed the window meanwhile.
  private func awaitInput() {
    var watched = [
      pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isTerminal ? resized.rawValue : -1, events: Int16(POLLIN), revents: 0),
    ]
    while watched[0].revents == 0 {
      poll(&watched, 2, -1)
      guard watched[1].revents != 0 else { continue }
      while stack_next_signal(resized.rawValue) != 0 {}
      takeOverSize()
    }
  }

  private func carry() {
    // Its end is the service's affair: nothing is killed by a FIFO without readers.
    var chunk = [UInt8](repeating: 0, count: 4096)
    var typed = 0
    while true {
      awaitInput()
      let count = read(0, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      guard isTerminal else {
        guard write(chunk[..<count]) else { return }
        continue
      }
      var passed: [UInt8] = []
      for byte in chunk[..<count] {
        if byte == detachKeys[typed] {
          typed += 1
          guard typed < detachKeys.count else { return detach(passed) }
          continue
        }
        // The first of the keys was meant for the service after all.
        passed += detachKeys[..<typed]
        typed = byte == detachKeys[0] ? 1 : 0
        if typed == 0 { passed.append(byte) }
      }
      guard write(passed[...]) else { return }
    }
  }

  private func detach(_ passed: [UInt8]) {
    _ = write(passed[...])
    hasDetached.store(true, ordering: .releasing)
    eventfd_write(wake.rawValue, 1)
  }

  /// False when the service takes no more.
  private func write(_ bytes: ArraySlice<UInt8>) -> Bool {
    do {
      try target.fileDescriptor.writeInFull(bytes)
      return true
    } catch {
      return false
    }
  }
}
