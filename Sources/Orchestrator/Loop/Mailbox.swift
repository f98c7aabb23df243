import CLinux
import Glibc
import Kernel
import Synchronization
import SystemPackage

/// A queue through which other threads reach the loop. They post messages, and the loop's handler gets them in order
/// (eventfd(2)).
///
/// The handler stays on the loop's side, so it may touch whatever the loop's thread owns; only messages cross.
final class Mailbox<Message: Sendable>: Sendable {
  private let wake: Descriptor
  private let queue = Mutex<[Message]>([])

  fileprivate init() throws(KernelError) {
    wake = try Descriptor.makeEventCounter(flags: EFD_CLOEXEC | EFD_NONBLOCK)
  }

  fileprivate var fileDescriptor: FileDescriptor { wake.fileDescriptor }

  /// Hands a message over; callable from any thread, never waits for the loop.
  func post(_ message: Message) {
    let wasEmpty = queue.withLock { messages in
      messages.append(message)
      return messages.count == 1
    }
    // Only the first message of a batch wakes: the loop takes everything at once.
    if wasEmpty { wake.addToCounter(1) }
  }

  /// Takes everything posted so far, oldest first.
  func takeAll() -> [Message] {
    wake.readCounter()
    return queue.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}

extension EventLoop {
  /// Makes a mailbox whose messages `handler` gets on the loop's thread, until the token is removed.
  func openMailbox<Message: Sendable>(
    of type: Message.Type = Message.self, handler: @escaping (Message) -> Void
  ) throws(KernelError) -> (mailbox: Mailbox<Message>, token: Token) {
    let mailbox = try Mailbox<Message>()
    var token: Token?
    let registered = try register(mailbox.fileDescriptor, interest: .read) { [unowned self] _ in
      for message in mailbox.takeAll() {
        guard let token, isRegistered(token) else { return }
        handler(message)
      }
    }
    token = registered
    return (mailbox, registered)
  }
}

extension Descriptor {
  /// An eventfd at zero.
  static func makeEventCounter(flags: Int) throws(KernelError) -> Descriptor {
    let number = eventfd(0, CInt(flags))
    guard number >= 0 else { throw KernelError("create", "an eventfd", errno: .last) }
    return Descriptor(adopting: number)
  }

  /// Adds to an eventfd. A counter that is full (EAGAIN) is awake already.
  func addToCounter(_ amount: UInt64) {
    var value = amount
    while write(rawValue, &value, MemoryLayout<UInt64>.size) < 0, errno == EINTR {}
  }

  /// Takes what an eventfd holds: all of it, or one for a semaphore.
  func readCounter() {
    var value: UInt64 = 0
    while read(rawValue, &value, MemoryLayout<UInt64>.size) < 0, errno == EINTR {}
  }
}
