import Glibc
import Kernel
import Loop
import SystemPackage

/// The supervisor's side of the control socket: varlink's framing (a JSON object, then a NUL) on the event loop.
///
/// Only root and the socket's owner are listened to. A connection answers one call at a time, in order. Nothing a peer
/// does or omits holds up the others: what it sends is bounded, what it does not read is bounded, and waiting for it has limits.
package final class ControlServer {
  package struct Limits: Sendable {
    /// Bytes in one message.
    var messageSize = 64 << 20
    /// Connections at a time; one more is told so and closed.
    var connections = 512
    /// Bytes held for all connections together, both ways. Who asks for more is cut off.
    var bufferedBytes = 256 << 20
    /// Bytes of replies queued for one peer.
    var queuedBytes = 80 << 20
    /// Bytes of replies queued before a call says that it is congested.
    var congestion = 1 << 20
    /// The time from the first byte of a message to its last.
    var receiveTime = Duration.seconds(10)
    /// The time that a connection may stay open without a call.
    var idleTime = Duration.seconds(60)
    /// The time without a byte read by the peer, once its call has ended.
    var sendTime = Duration.seconds(30)

    init() {}
  }

  /// Starts the call of a message, or says why it cannot.
  typealias Handler = (ControlMessage.Envelope, [UInt8], ControlConnection) -> ControlFailure?

  let loop: EventLoop
  let limits: Limits
  /// Bytes held for all connections.
  var bufferedBytes = 0
  /// Shared by the connections: each turn reads into it and copies what came.
  let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

  private let owner: uid_t
  private var acceptor: Acceptor?
  private var connections: [ObjectIdentifier: ControlConnection] = [:]
  private var handlers: [String: Handler] = [:]

  /// Serves a socket that listens already: from ``ControlSocket/listen(inFolder:backlog:)``, or inherited.
  ///
  /// Besides root only `owner` may connect, by default the user this process runs as. Fails with EINVAL when the
  /// descriptor is no listening unix stream socket.
  package init(
    loop: EventLoop, listener: consuming Descriptor, owner: uid_t = geteuid(), limits: Limits = Limits()
  ) throws(KernelError) {
    try ControlSocket.adopt(listener)
    self.loop = loop
    self.limits = limits
    self.owner = owner
    acceptor = try makeAcceptor(listener)
  }

  private func makeAcceptor(_ listener: consuming Descriptor) throws(KernelError) -> Acceptor {
    try Acceptor(listener, on: loop, atOnce: 64) { [weak self] (socket) throws(KernelError) in
      try self?.welcome(socket)
    }
  }

  /// Listens on another socket from now on: nobody can find the former one any more.
  package func listen(on listener: consuming Descriptor) throws(KernelError) {
    try ControlSocket.adopt(listener)
    acceptor?.stop()
    acceptor = try makeAcceptor(listener)
  }

  deinit {
    close()
    scratch.deallocate()
  }

  /// The number of connected peers.
  package var connectionCount: Int { connections.count }

  /// Answers calls of `method` with `handler`, which may keep the call and reply later.
  package func handle<Method: ControlMethod>(
    _ method: Method.Type, _ handler: @escaping (ControlCall<Method>) -> Void
  ) {
    handlers[Method.name] = { envelope, message, connection in
      let parameters: Method.Parameters
      do {
        parameters = try ControlMessage.decodeParameters(Method.Parameters.self, from: message)
      } catch {
        // Commands of this release send what this release reads.
        return .invalidParameter(
          "\(Method.name): \(ControlMessage.explain(error)): the supervisor is of another release of stack than this "
            + "command; use that release, or take the stack down first")
      }
      let state = connection.beginCall(wantsMore: envelope.more ?? false, isOneway: envelope.oneway ?? false)
      handler(ControlCall(parameters: parameters, peer: connection.peer, state: state))
      return nil
    }
  }

  /// Takes no new connections; those that are there go on.
  package func stopListening() {
    acceptor?.stop()
  }

  /// Stops listening and drops every connection.
  package func close() {
    stopListening()
    for connection in Array(connections.values) { connection.close() }
  }

  func handler(for method: String) -> Handler? { handlers[method] }

  func forget(_ connection: ControlConnection) {
    connections[ObjectIdentifier(connection)] = nil
    acceptor?.resume()
  }

  // MARK: Accepting

  private func welcome(_ socket: consuming Descriptor) throws(KernelError) {
    try ControlSocket.prepare(socket.rawValue)
    let peer = try ControlSocket.peer(of: socket)
    guard peer.uid == 0 || peer.uid == owner else {
      return refuse(socket, .notPermitted("this stack belongs to uid \(owner), and you are uid \(peer.uid)"))
    }
    guard connections.count < limits.connections else {
      return refuse(socket, .busy("\(connections.count) commands are connected: try again"))
    }
    let connection = try ControlConnection(server: self, socket: socket, peer: peer)
    connections[ObjectIdentifier(connection)] = connection
  }

  /// A new socket has room for a line, so there is nothing to wait for.
  private func refuse(_ socket: consuming Descriptor, _ failure: ControlFailure) {
    let message = ControlMessage.encode(failure)
    message.withUnsafeBytes { _ = send(socket.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
  }
}
