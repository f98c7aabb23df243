import Digests
import Glibc
import ImageReference
import Kernel
import Layer
import SystemPackage

/// Makes the processes that unpack: each sees one layer and the store's ingest folder.
package protocol UnpackerLauncher: Sendable {
  /// - Parameters:
  ///   - input: what the unpacker reads as standard input.
  ///   - control: its end of the socket.
  /// - Returns: what ends it.
  func launch(input: FileDescriptor, control: FileDescriptor) throws(KernelError) -> @Sendable () -> Void
}

/// A layer on its way through an unpacker. Ended when this value goes.
final class Unpacking {
  private let input: Descriptor
  private let control: Descriptor
  private let end: @Sendable () -> Void

  init(_ launcher: any UnpackerLauncher, _ order: UnpackerMessage.Order) throws(KernelError) {
    let data = try SocketPair()
    let orders = try SocketPair()
    end = try launcher.launch(input: data.theirs.fileDescriptor, control: orders.theirs.fileDescriptor)
    input = data.ours()
    control = orders.ours()
    _ = UnpackerChannel(control.fileDescriptor).send(order)
  }

  deinit { end() }

  /// False when the unpacker reads no more: it has failed, and says why when asked.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    UnpackerChannel.send(bytes, over: input.fileDescriptor)
  }

  func closeInput() { shutdown(input.rawValue, CInt(SHUT_WR)) }

  func outcome() throws(LayerError) -> LayerUnpacker.Outcome {
    guard let outcome = try reply().outcome else { throw Self.gone }
    return outcome
  }

  func settle(on lower: [String]) throws(LayerError) {
    guard UnpackerChannel(control.fileDescriptor).send(UnpackerMessage.Settlement(lower: lower)) else {
      throw Self.gone
    }
    _ = try reply()
  }

  private func reply() throws(LayerError) -> UnpackerMessage.Reply {
    guard let reply = UnpackerChannel(control.fileDescriptor).receive(UnpackerMessage.Reply.self) else {
      throw Self.gone
    }
    if let failure = reply.failure { throw failure }
    return reply
  }

  private static let gone = LayerError("its unpacker ended before it was done")
}

/// The two ends of a stream.
struct SocketPair: ~Copyable {
  let theirs: Descriptor
  private let own: Descriptor

  init() throws(KernelError) {
    var numbers: [CInt] = [-1, -1]
    let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    try check("make", "a socket") { socketpair(AF_UNIX, kind, 0, &numbers) }
    theirs = Descriptor(adopting: numbers[0])
    own = Descriptor(adopting: numbers[1])
  }

  consuming func ours() -> Descriptor { own }
}

/// Work on a thread of its own.
enum Thread {
  private final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  struct Handle: Sendable {
    fileprivate let number: pthread_t
    func join() { pthread_join(number, nil) }
  }

  /// Starts a thread that nobody waits for.
  static func detach(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
    pthread_detach(try start(body).number)
  }

  /// - Throws: EAGAIN where there can be no more threads.
  static func start(_ body: @escaping @Sendable () -> Void) throws(KernelError) -> Handle {
    var number = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let code = pthread_create(
      &number, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      box.release()
      throw KernelError("start", "a thread", errno: Errno(rawValue: code))
    }
    return Handle(number: number)
  }
}
