import Addresses
import CLinux
import DNS
import Glibc
import Kernel
import Loop

/// The server's sockets on one network.
final class NameEndpoint {
  /// The number of the network in the stack.
  var network = 0

  private unowned let server: NameServer
  private let datagrams: [SharedDescriptor]
  private var tokens: [EventLoop.Token] = []
  private var acceptor: Acceptor?
  private var connections: [ObjectIdentifier: NameConnection] = [:]
  /// The sockets, by their places, that had more datagrams than one turn takes.
  private var crowded: Set<Int> = []
  /// Memory of one batch: what came, and the answers to it.
  private var memory: [UInt8] = []
  private var batch: [stack_datagram] = []
  private var writer = DNSWriter()

  /// A question with its options takes less.
  private static let datagramSize = 2048
  /// Datagrams of one socket until others have their turn: the fewer, the more sockets have more than that.
  private static let turn = (least: 4, most: 64)
  /// Services with neighbouring addresses come in by different sockets. So up to the larger number, each has one of its own.
  private static let shares = (least: 16, most: 64)
  static let mostConnections = 64
  static let mostConnectionsOfOne = 8

  /// - Parameter askers: the number of services on the network.
  init(at address: IPAddress, askers: Int, server: NameServer) throws(KernelError) {
    self.server = server
    var shares = Self.shares.least
    while shares < min(askers, Self.shares.most) { shares *= 2 }
    datagrams = try DNSSocket.serve(at: address, shares: shares)
    let listener = try DNSSocket.serve(at: address, overTCP: true)
    for (place, socket) in datagrams.enumerated() {
      tokens.append(
        try server.loop.register(socket.descriptor.fileDescriptor, interest: .read) { [weak self] _ in
          self?.takeTurn(of: socket, at: place)
        })
    }
    acceptor = try Acceptor(listener, on: server.loop, atOnce: 16) { [weak self] socket in self?.take(socket) }
  }

  deinit { stop() }

  func close() {
    stop()
    for connection in Array(connections.values) { connection.close() }
  }

  private func stop() {
    for token in tokens { server.loop.remove(token) }
    tokens = []
    acceptor?.stop()
  }

  // MARK: UDP

  private func takeTurn(of socket: SharedDescriptor, at place: Int) {
    var left = max(Self.turn.least, Self.turn.most / max(1, crowded.count))
    while left > 0 {
      let most = min(left, Int(STACK_DATAGRAMS))
      let count = receive(from: socket, atMost: most)
      guard count == most else {
        crowded.remove(place)
        return
      }
      left -= count
    }
    crowded.insert(place)
  }

  /// Answers what has come. Returns the number of datagrams.
  private func receive(from socket: SharedDescriptor, atMost most: Int) -> Int {
    if memory.isEmpty {
      memory = Array(repeating: 0, count: Self.datagramSize * Int(STACK_DATAGRAMS))
      batch = Array(repeating: stack_datagram(), count: Int(STACK_DATAGRAMS))
    }
    let count = Int(
      stack_receive_datagrams(
        socket.descriptor.rawValue, &memory, UInt32(Self.datagramSize), &batch, UInt32(most)))
    guard count > 0 else { return 0 }
    writer.removeAll()
    for index in 0..<count { answer(index, by: socket) }
    stack_send_datagrams(socket.descriptor.rawValue, writer.octets, batch, UInt32(count))
    return count
  }

  /// Puts the answer to a datagram in its place.
  private func answer(_ index: Int, by socket: SharedDescriptor) {
    let datagram = batch[index]
    batch[index].length = 0
    guard datagram.length > 0, let peer = datagram.sender, peer.port > 0,
      let asker = server.asker(at: peer.address, on: network)
    else { return }
    let memory = memory
    let message = memory.span.extracting(Int(datagram.offset)..<Int(datagram.offset + datagram.length))
    let place = server.answer(message, from: asker, limit: nil, writer: &writer) { question, query in
      let id = query.id
      let reply = LateReply(query, in: message)
      server.forwarder.ask(question, for: peer.address) { [weak self] answer in
        guard let self, !tokens.isEmpty else { return }
        let octets = reply.message(from: answer, id: id, limit: query.datagramLimit)
        var addressed = datagram
        (addressed.offset, addressed.length) = (0, UInt32(octets.count))
        stack_send_datagrams(socket.descriptor.rawValue, octets, &addressed, 1)
      }
    }
    guard let place else { return }
    batch[index].offset = UInt32(place.lowerBound)
    batch[index].length = UInt32(place.count)
  }

  // MARK: TCP

  private func take(_ socket: consuming Descriptor) {
    guard let peer = Self.peer(of: socket), let asker = server.asker(at: peer, on: network), makeRoom(for: peer),
      let connection = NameConnection(
        socket, from: peer, asker, server: server, onClose: { [weak self] in self?.forget($0) })
    else { return }
    connections[ObjectIdentifier(connection)] = connection
  }

  /// Makes room for one more connection. The address with most connections gives one up, unless none has more than the
  /// asker.
  private func makeRoom(for peer: IPAddress) -> Bool {
    let owned = Dictionary(grouping: connections.values, by: \.peer)
    let count = owned[peer]?.count ?? 0
    guard count < Self.mostConnectionsOfOne else { return false }
    guard connections.count >= Self.mostConnections else { return true }
    guard let fullest = owned.values.max(by: { $0.count < $1.count }), fullest.count > count + 1 else { return false }
    fullest[0].close()
    return true
  }

  private func forget(_ connection: ObjectIdentifier) {
    connections[connection] = nil
    acceptor?.resume()
  }

  private static func peer(of socket: borrowing Descriptor) -> IPAddress? {
    var storage = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let number = socket.rawValue
    let answer = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(number, $0, &size) }
    }
    return answer == 0 ? withUnsafeBytes(of: storage) { SocketAddress.read($0)?.address } : nil
  }
}

extension stack_datagram {
  fileprivate var sender: (address: IPAddress, port: UInt16)? {
    // The address stands at a place that its parts divide.
    withUnsafeBytes(of: peer) { SocketAddress.read($0) }
  }
}
