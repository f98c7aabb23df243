import Addresses
import Glibc
import Kernel
import Loop
import SystemPackage

/// Sockets of our own where probes are to come out: a listener on each port that the service itself has nothing on, and a
/// raw socket that sees what datagrams come in for the others. All are closed with this.
final class ProbeListeners {
  private struct Key: Hashable {
    var place: String
    var end: Endpoint
    var isTCP: Bool

    /// nil where no port is asked for, or on a machine that is not ours.
    init?(_ question: ReachQuestion) {
      guard let arrival = question.arrival else { return nil }
      switch question.traffic {
      case .tcp: isTCP = true
      case .udp: isTCP = false
      case .echo: return nil
      }
      place = arrival.place
      end = Endpoint(address: arrival.address, port: arrival.port)
    }
  }

  /// By whom a connection or datagram was sent, as it came in.
  private struct Listener {
    let socket: ProbeSocket
    var senders: Set<Endpoint> = []
  }

  private let loop: EventLoop
  private let token: ProbeToken
  private var listeners: [Key: Listener] = [:]
  private var witnesses: [ProbeSocket] = []
  private var buffer = [UInt8](repeating: 0, count: 2048)
  /// Told of each datagram of a probe that came in at a service's own socket.
  var onDatagram: (Int) -> Void = { _ in }
  /// The number of packets and connections that came in.
  private(set) var arrivals = 0

  init(loop: EventLoop, token: ProbeToken) {
    self.loop = loop
    self.token = token
  }

  func open(for questions: [ReachQuestion], in places: [String: ProbePlace]) throws(KernelError) {
    let keys = Set(questions.compactMap(Key.init))
    for (name, keys) in Dictionary(grouping: keys, by: \.place) {
      guard let place = places[name] else { continue }
      try place.visit { () throws(KernelError) in
        var watched: Set<CInt> = []
        for key in keys where try !listen(key) && !key.isTCP {
          if watched.insert(key.end.address.socketFamily).inserted { try witness(key.end.address) }
        }
      }
    }
  }

  /// False when the port is the service's own, or the address is not there.
  private func listen(_ key: Key) throws(KernelError) -> Bool {
    let socket = try ProbeSocket(key.isTCP ? SOCK_STREAM : SOCK_DGRAM, for: key.end.address)
    // Former connections of the service in TIME_WAIT must not block the port.
    if key.isTCP { socket.set(Int(SOL_SOCKET), SO_REUSEADDR) }
    socket.set(Int(IPPROTO_IPV6), IPV6_V6ONLY)
    guard socket.bind(to: key.end) == nil, !key.isTCP || socket.listen() == nil else { return false }
    listeners[key] = Listener(socket: socket)
    _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self] _ in
      key.isTCP ? accept(key) : answer(key)
    }
    return true
  }

  private func accept(_ key: Key) {
    while let sender = listeners[key]?.socket.acceptAndClose() {
      arrivals += 1
      listeners[key]?.senders.insert(sender)
    }
  }

  private func answer(_ key: Key) {
    guard let socket = listeners[key]?.socket else { return }
    while case .datagram(let count, let sender?) = socket.receive(into: &buffer) {
      guard token.index(in: buffer[..<count]) != nil else { continue }
      arrivals += 1
      listeners[key]?.senders.insert(sender)
      _ = socket.send([UInt8](buffer[..<count]), to: sender)
    }
  }

  /// A raw socket gets a copy of every datagram that is delivered to this namespace, after its own firewall (raw(7)).
  private func witness(_ address: IPAddress) throws(KernelError) {
    let socket = try ProbeSocket(SOCK_RAW, for: address, protocolNumber: Int(IPPROTO_UDP))
    witnesses.append(socket)
    _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self, unowned socket] _ in
      while case .datagram(let count, _) = socket.receive(into: &buffer) {
        let datagram = buffer[..<count].withoutIPHeader(of: address)
        guard let index = token.index(in: datagram.dropFirst(8)) else { continue }
        arrivals += 1
        onDatagram(index)
      }
    }
  }

  /// The listener that saw the packets from `sender` and answered them. Call it when all has come in.
  func arrival(of question: ReachQuestion, from sender: Endpoint?) -> ReachAnswer.Arrival {
    guard let key = Key(question), listeners[key] != nil else { return ReachAnswer.Arrival(witness: .service) }
    if key.isTCP { accept(key) }
    guard let sender, let seen = listeners[key]?.senders, !seen.contains(sender) else {
      return ReachAnswer.Arrival(witness: .listener)
    }
    // Translation keeps the port if it can.
    let other = seen.first { $0.port == sender.port }
    return ReachAnswer.Arrival(witness: other == nil ? .stranger : .listener, translatedSource: other?.address)
  }
}

extension ArraySlice<UInt8> {
  /// Raw IPv4 sockets give the header too, raw IPv6 sockets do not (ip(7), RFC 3542).
  func withoutIPHeader(of address: IPAddress) -> ArraySlice<UInt8> {
    guard case .v4 = address, let first else { return self }
    return dropFirst(Int(first & 0xf) * 4)
  }
}
