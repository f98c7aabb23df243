import CImages
import FoundationEssentials
import Glibc
import Kernel
import SystemPackage

/// A stream of frames between this program and a process of it: each has a kind, a length and bytes.
final class FrameChannel: Sendable {
  enum Kind: UInt8 { case order = 1, request, document, data, restart, notice, progress, reply }

  private let socket: Descriptor
  private static let headerSize = 5
  /// More than any document, as JSON.
  static let longest = 32 << 20

  init(_ socket: consuming Descriptor) { self.socket = socket }

  // MARK: Sending

  /// False when the other side is gone.
  func send(_ kind: Kind, raw bytes: UnsafeRawBufferPointer) -> Bool {
    let count = UInt32(bytes.count)
    let header = [kind.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    return images_send_pieces(socket.rawValue, header, header.count, bytes.baseAddress, bytes.count) == 0
  }

  func send(_ kind: Kind, bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { send(kind, raw: $0) } }

  func send(_ kind: Kind, message: some Encodable) -> Bool {
    guard let data = try? JSONEncoder().encode(message) else { return false }
    return send(kind, bytes: Array(data))
  }

  func send(descriptor: CInt) -> Bool { images_send_descriptor(socket.rawValue, descriptor) == 0 }

  func receiveDescriptor() -> Descriptor? {
    let number = images_receive_descriptor(socket.rawValue)
    return number >= 0 ? .some(Descriptor(adopting: number)) : .none
  }

  /// True once the other side is gone.
  var isHungUp: Bool { images_is_hung_up(socket.rawValue) == 1 }

  // MARK: Receiving

  /// Waits for the next frame, whose bytes `take` gets piece by piece if they are data.
  ///
  /// - Returns: nil at the end, when it is no frame, or when nobody wants it any more.
  func receive(
    isStopped: () -> Bool, data take: (UnsafeRawBufferPointer) -> Bool
  ) -> (kind: Kind, bytes: [UInt8])? {
    guard let header = read(Self.headerSize, isStopped), let kind = Kind(rawValue: header[0]) else { return nil }
    let count = header[1...].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard count <= Self.longest else { return nil }
    guard kind == .data else { return read(count, isStopped).map { (kind, $0) } }
    return pass(count, isStopped, take) ? (kind, []) : nil
  }

  func receive(isStopped: () -> Bool = { false }) -> (kind: Kind, bytes: [UInt8])? {
    receive(isStopped: isStopped) { _ in false }
  }

  func receive<Message: Decodable>(_ kind: Kind, _ type: Message.Type, isStopped: () -> Bool = { false }) -> Message? {
    guard let frame = receive(isStopped: isStopped), frame.kind == kind else { return nil }
    return try? JSONDecoder().decode(type, from: Data(frame.bytes))
  }

  private func read(_ count: Int, _ isStopped: () -> Bool) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(count, 1 << 16))
    let isWhole = pass(count, isStopped) { piece in
      bytes.append(contentsOf: piece)
      return true
    }
    return isWhole ? bytes : nil
  }

  private func pass(_ count: Int, _ isStopped: () -> Bool, _ take: (UnsafeRawBufferPointer) -> Bool) -> Bool {
    var rest = count
    guard rest > 0 else { return true }
    return withUnsafeTemporaryAllocation(byteCount: min(count, 1 << 18), alignment: 16) { buffer in
      while rest > 0 {
        guard awaitBytes(isStopped) else { return false }
        let count = recv(socket.rawValue, buffer.baseAddress, min(rest, buffer.count), 0)
        if count < 0, errno == EINTR { continue }
        guard count > 0, take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return false }
        rest -= count
      }
      return true
    }
  }

  private func awaitBytes(_ isStopped: () -> Bool) -> Bool {
    while true {
      var entry = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
      let count = poll(&entry, 1, 100)
      if count > 0 { return true }
      if count < 0, errno != EINTR { return false }
      if isStopped() { return false }
    }
  }
}
