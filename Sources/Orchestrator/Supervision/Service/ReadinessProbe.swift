import Addresses
import Host
import Intent
import Kernel
import Loop
import Netlink
import SystemPackage

/// Asks the kernel, by sock_diag(7), whether something listens on some ports of a namespace, until it does.
///
/// No packet is sent, so the service sees no probe traffic, and what it listens on need not speak any protocol.
final class ReadinessProbe {
  private let loop: EventLoop
  private let completion: ([LoopbackListener]) -> Void
  /// The ports on which nothing listened at the last look.
  private(set) var missing: [ListeningPort]
  private var onLoopback: [LoopbackListener] = []
  private var timer: EventLoop.TimerID?
  private var socket: SocketTable?
  private var delay = Duration.milliseconds(1)

  /// The longest pause between two looks. Pauses grow, so a slow service is looked at less often.
  private static let longestDelay = Duration.milliseconds(50)
  private static let latePatience = Duration.seconds(1)
  private let lateness: EventLoop.Instant

  /// - Parameter completion: called once something listens on every port, with those that were found on the loopback alone.
  init(ports: [ListeningPort], loop: EventLoop, completion: @escaping ([LoopbackListener]) -> Void) {
    missing = ports
    self.loop = loop
    self.completion = completion
    lateness = loop.now + .seconds(60)
  }

  func start(in namespace: SharedNamespace?) {
    guard !missing.isEmpty else { return completion([]) }
    socket = namespace.flatMap { try? SocketTable(in: $0) }
    check()
  }

  func cancel() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  private func check() {
    timer = nil
    let listening = (try? socket?.listening(missing)) ?? [:]
    for port in missing {
      guard let addresses = listening[port], addresses.allSatisfy(\.isLoopback), let first = addresses.first else {
        continue
      }
      onLoopback.append(LoopbackListener(port: port, address: first))
    }
    missing.removeAll { listening[$0] != nil }
    guard !missing.isEmpty else { return completion(onLoopback) }
    timer = loop.schedule(after: delay) { [self] in check() }
    delay = min(delay * 2, loop.now < lateness ? Self.longestDelay : Self.latePatience)
  }
}

/// A port on which something listens that only the service itself can reach.
struct LoopbackListener: Hashable {
  var port: ListeningPort
  var address: IPAddress
}

/// The sockets of one network namespace, looked up again and again over one netlink socket.
private final class SocketTable {
  private var socket: NetlinkSocket

  init(in namespace: SharedNamespace) throws(KernelError) {
    socket = try NetlinkSocket(.sockDiag, in: namespace.descriptor)
  }

  /// The addresses at which something listens on each port. Looks only where one of the wanted ports could be: it costs a walk
  /// through all sockets of a protocol.
  func listening(_ wanted: [ListeningPort]) throws(KernelError) -> [ListeningPort: [IPAddress]] {
    let transports = BoundSocket.Transport.allCases.filter { transport in
      wanted.contains { $0.transport == TransportProtocol(transport) }
    }
    return Dictionary(
      try socket.boundSockets(transports).map {
        (ListeningPort(port: $0.port, transport: TransportProtocol($0.transport)), [$0.address])
      }, uniquingKeysWith: +)
  }
}

extension IPAddress {
  fileprivate var isLoopback: Bool {
    switch self {
    case .v4(let address): address.isLoopback
    case .v6(let address): address == .loopback || address.mapped?.isLoopback ?? false
    }
  }
}
