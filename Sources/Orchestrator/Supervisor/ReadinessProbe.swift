import Kernel
import Netlink
import SystemPackage

/// Asks the kernel, by sock_diag(7), whether something listens on some ports of a namespace, until it does.
///
/// No packet is sent, so the service sees no probe traffic, and what it listens on need not speak any protocol.
final class ReadinessProbe {
  private let ports: [ListeningPort]
  private let loop: EventLoop
  private let deadline: EventLoop.Instant
  private let completion: ([ListeningPort]) -> Void
  private var timer: EventLoop.TimerID?
  private var socket: SocketTable?
  private var delay = Duration.milliseconds(1)

  private static let longestDelay = Duration.milliseconds(50)

  /// - Parameter completion: gets the ports that nothing listens on when the time is up: none when all is ready.
  init(
    ports: [ListeningPort], loop: EventLoop, timeout: Duration, completion: @escaping ([ListeningPort]) -> Void
  ) {
    self.ports = ports
    self.loop = loop
    self.completion = completion
    deadline = loop.now + timeout
  }

  func start(in namespace: SharedNamespace?) {
    guard !ports.isEmpty else { return completion([]) }
    socket = namespace.flatMap { try? SocketTable(in: $0) }
    check()
  }

  func cancel() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  private func check() {
    timer = nil
    let listening = (try? socket?.listening(ports)) ?? []
    let missing = ports.filter { !listening.contains($0) }
    guard !missing.isEmpty, loop.now < deadline else { return completion(missing) }
    timer = loop.schedule(after: delay) { [self] in check() }
    delay = min(delay * 2, Self.longestDelay)
  }
}

/// The sockets of one network namespace, looked up again and again over one netlink socket.
private final class SocketTable {
  private var socket: NetlinkSocket

  init(in namespace: SharedNamespace) throws(KernelError) {
    socket = try NetlinkSocket(.sockDiag, in: namespace.descriptor)
  }

  /// Looks only where one of the wanted ports could be: it costs a walk through all sockets of a protocol.
  func listening(_ wanted: [ListeningPort]) throws(KernelError) -> Set<ListeningPort> {
    let transports = BoundSocket.Transport.allCases.filter { transport in
      wanted.contains { $0.transport == TransportProtocol(transport) }
    }
    return Set(
      try socket.boundSockets(transports).map {
        ListeningPort(port: $0.port, transport: TransportProtocol($0.transport))
      })
  }
}
