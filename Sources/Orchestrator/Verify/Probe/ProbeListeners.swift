import Addresses
import Glibc
import Kernel
import Loop
import SystemPackage

/// Sockets of our own where probes are to come out: a listener on each port that the service itself has nothing on, and raw
/// sockets that see what comes in for the others. All are closed with this.
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

  /// A listening socket, and the source addresses of the connections or datagrams that arrived.
  private struct Listener {
    let socket: ProbeSocket
    var senders: Set<Endpoint> = []
  }

  /// A raw socket: what it is for, and where.
  private struct Witness: Hashable {
    enum Kind: Hashable {
      case connections, datagrams, echoes
    }
    var kind: Kind
    var place: String
    var isV4: Bool
  }

  /// A port that connections were begun to.
  private struct Door: Hashable {
    var place: String
    var port: UInt16
    var isV4: Bool
  }

  private let loop: EventLoop
  private let token: ProbeToken
  private var listeners: [Key: Listener] = [:]
  private var witnesses: [Witness: ProbeSocket] = [:]
  private var knocks: [Door: Set<Endpoint>] = [:]
  /// Questions whose datagrams and requests a raw socket has seen come in.
  private var witnessed: Set<Int> = []
  private var buffer = [UInt8](repeating: 0, count: 2048)
  /// Told of each datagram of a probe that came in at a service's own socket.
  var onDatagram: (Int) -> Void = { _ in }
  /// The number of arrivals so far, of any kind.
  private(set) var arrivals = 0

  init(loop: EventLoop, token: ProbeToken) {
    self.loop = loop
    self.token = token
  }

  func open(for questions: [ReachQuestion], in places: [String: ProbePlace]) throws(KernelError) {
    let keys = Dictionary(grouping: Set(questions.compactMap(Key.init)), by: \.place)
    var echoes: [String: [IPAddress]] = [:]
    for question in questions where question.traffic == .echo {
      guard let arrival = question.arrival else { continue }
      let known = echoes[arrival.place] ?? []
      if !known.contains(where: { $0.isV4 == arrival.address.isV4 }) {
        echoes[arrival.place] = known + [arrival.address]
      }
    }
    for name in Set(keys.keys).union(echoes.keys) {
      guard let place = places[name] else { continue }
      try place.visit { () throws(KernelError) in
        for key in keys[name] ?? [] where try !listen(key) {
          try witness(key.isTCP ? .connections : .datagrams, key.end.address, in: name)
        }
        for address in echoes[name] ?? [] { try witness(.echoes, address, in: name) }
      }
    }
  }

  // MARK: Listeners

  /// False when the port is the service's own, or the address is not there.
  private func listen(_ key: Key) throws(KernelError) -> Bool {
    let socket = try ProbeSocket(key.isTCP ? SOCK_STREAM : SOCK_DGRAM, for: key.end.address)
    // Connections of the service in TIME_WAIT would otherwise make bind(2) fail.
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

  // MARK: Witnesses

  /// A raw socket gets a copy of every packet of its protocol that is delivered to this namespace, after its own firewall
  /// (raw(7)).
  private func witness(_ kind: Witness.Kind, _ address: IPAddress, in place: String) throws(KernelError) {
    let witness = Witness(kind: kind, place: place, isV4: address.isV4)
    guard witnesses[witness] == nil else { return }
    let number =
      switch kind {
      case .connections: IPPROTO_TCP
      case .datagrams: IPPROTO_UDP
      case .echoes: address.isV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6
      }
    let socket = try ProbeSocket(SOCK_RAW, for: address, protocolNumber: Int(number))
    witnesses[witness] = socket
    socket.makeRoom(octets: 4 << 20)
    switch kind {
    case .connections: socket.admitFirstPackets(of: address)
    case .echoes: socket.admit([address.isV4 ? 8 : 128], of: address)
    case .datagrams: break
    }
    _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self, unowned socket] _ in
      while case .datagram(let count, let sender) = socket.receive(into: &buffer) {
        see(buffer[..<count].withoutIPHeader(of: address), of: witness, from: sender)
      }
    }
  }

  private func see(_ segment: ArraySlice<UInt8>, of witness: Witness, from sender: Endpoint?) {
    if witness.kind == .connections {
      let ports = segment.prefix(4).map(UInt16.init)
      guard ports.count == 4, let sender else { return }
      arrivals += 1
      let door = Door(place: witness.place, port: ports[2] << 8 | ports[3], isV4: witness.isV4)
      knocks[door, default: []].insert(Endpoint(address: sender.address, port: ports[0] << 8 | ports[1]))
      return
    }
    guard let index = token.index(in: segment.dropFirst(8)) else { return }
    arrivals += 1
    witnessed.insert(index)
    if witness.kind == .datagrams { onDatagram(index) }
  }

  // MARK: What was seen

  /// The witness of an answered question: the socket that saw its packets. Call this after all arrivals were read.
  ///
  /// - Parameters:
  ///   - sender: the end that the packets were sent from.
  ///   - isAsker: true for an end that some question was sent from.
  func arrival(
    of question: ReachQuestion, _ index: Int, from sender: Endpoint?, isAsker: (Endpoint) -> Bool
  ) -> ReachAnswer.Arrival {
    guard let place = question.arrival?.place else { return ReachAnswer.Arrival(witness: .service) }
    let isV4 = question.arrival?.address.isV4 ?? true
    guard let key = Key(question) else {
      let isSeen = witnessed.contains(index) || !isWatched(.echoes, place, isV4)
      return ReachAnswer.Arrival(witness: isSeen ? .service : .stranger)
    }
    if listeners[key] != nil {
      if key.isTCP { accept(key) }
      return judged(listeners[key]?.senders ?? [], sender, as: .listener) { _ in false }
    }
    if !key.isTCP {
      let isSeen = witnessed.contains(index) || !isWatched(.datagrams, place, isV4)
      return ReachAnswer.Arrival(witness: isSeen ? .service : .stranger)
    }
    guard isWatched(.connections, place, isV4) else { return ReachAnswer.Arrival(witness: .service) }
    let seen = knocks[Door(place: place, port: key.end.port, isV4: isV4)] ?? []
    // Translation may change the port too: then it is one that nobody has asked from.
    return judged(seen, sender, as: .service) { !isAsker($0) }
  }

  private func isWatched(_ kind: Witness.Kind, _ place: String, _ isV4: Bool) -> Bool {
    witnesses[Witness(kind: kind, place: place, isV4: isV4)] != nil
  }

  private func judged(
    _ seen: Set<Endpoint>, _ sender: Endpoint?, as witness: ReachAnswer.Arrival.Witness,
    orBy isTranslated: (Endpoint) -> Bool
  ) -> ReachAnswer.Arrival {
    guard let sender, !seen.contains(sender) else { return ReachAnswer.Arrival(witness: witness) }
    // Translation keeps the port if it can.
    if let other = seen.first(where: { $0.port == sender.port }) {
      return ReachAnswer.Arrival(witness: witness, translatedSource: other.address)
    }
    return ReachAnswer.Arrival(witness: seen.contains(where: isTranslated) ? witness : .stranger)
  }
}

extension ArraySlice<UInt8> {
  /// Raw IPv4 sockets give the header too, raw IPv6 sockets do not (ip(7), RFC 3542).
  func withoutIPHeader(of address: IPAddress) -> ArraySlice<UInt8> {
    guard case .v4 = address, let first else { return self }
    return dropFirst(Int(first & 0xf) * 4)
  }
}
