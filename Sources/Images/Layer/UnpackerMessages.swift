import CImages
import Digests
import FoundationEssentials
import Glibc
import ImageReference
import Kernel
import SystemPackage

/// The messages to an unpacker and its answers: a JSON object on each line of a socket.
package enum UnpackerMessage {
  package struct Order: Codable, Sendable {
    /// An empty folder for the layer.
    package var folder: String
    /// The algorithms of the blob's digest and of the diff_id.
    package var blobAlgorithm: String
    package var contentAlgorithm: String
    /// The one folder below which it may write. Nil: the process is not shut in.
    package var cage: String?

    package init(folder: String, blobAlgorithm: String, contentAlgorithm: String, cage: String?) {
      (self.folder, self.cage) = (folder, cage)
      (self.blobAlgorithm, self.contentAlgorithm) = (blobAlgorithm, contentAlgorithm)
    }
  }

  package struct Settlement: Codable, Sendable {
    /// The folders of the layers below, the topmost first.
    package var lower: [String]

    package init(lower: [String]) { self.lower = lower }
  }

  package struct Reply: Codable, Sendable {
    package var outcome: LayerUnpacker.Outcome?
    package var failure: LayerError?

    package init(outcome: LayerUnpacker.Outcome? = nil, failure: LayerError? = nil) {
      (self.outcome, self.failure) = (outcome, failure)
    }
  }
}

/// One end of the socket.
package struct UnpackerChannel: Sendable {
  private let socket: FileDescriptor
  private static let longest = 4 << 20

  package init(_ socket: FileDescriptor) { self.socket = socket }

  package func send(_ message: some Encodable) -> Bool {
    guard let data = try? JSONEncoder().encode(message) else { return false }
    let line = Array(data) + [UInt8(ascii: "\n")]
    return line.withUnsafeBytes { Self.send($0, over: socket) }
  }

  /// False when the other side is gone; no signal tells of that.
  package static func send(_ bytes: UnsafeRawBufferPointer, over socket: FileDescriptor) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.send(socket.rawValue, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return true
  }

  /// Nil when the other side is gone, or says what cannot be read.
  package func receive<Message: Decodable>(_ type: Message.Type) -> Message? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.count < Self.longest {
      let count = read(socket.rawValue, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return try? JSONDecoder().decode(type, from: Data(line)) }
      line.append(byte)
    }
    return nil
  }
}

/// The unpacker's side: one layer, and then its end.
package enum UnpackerService {
  /// - Parameters:
  ///   - control: where orders come from and answers go.
  ///   - input: the layer.
  package static func serve(control: FileDescriptor, input: FileDescriptor) {
    let channel = UnpackerChannel(control)
    guard let order = channel.receive(UnpackerMessage.Order.self) else { return }
    do throws(LayerError) {
      guard let blob = ContentDigest.Algorithm(rawValue: order.blobAlgorithm),
        let content = ContentDigest.Algorithm(rawValue: order.contentAlgorithm)
      else { throw LayerError("its digests are of an unknown kind") }
      // Before the folder is opened: a descriptor of before would lead past the cage's mount.
      try prepare(order)
      var unpacker = try LayerUnpacker(order.folder)
      let outcome = try unpacker.unpack(input.rawValue, blob: blob, content: content)
      guard channel.send(UnpackerMessage.Reply(outcome: outcome)),
        let settlement = channel.receive(UnpackerMessage.Settlement.self)
      else { return }
      try unpacker.settle(on: try lower(settlement))
      _ = channel.send(UnpackerMessage.Reply())
    } catch {
      _ = channel.send(UnpackerMessage.Reply(failure: error))
    }
  }

  /// The libraries first: in the cage nothing can be executed any more. Then the cage, before the first byte of the layer is looked at.
  private static func prepare(_ order: UnpackerMessage.Order) throws(LayerError) {
    do throws(LibraryError) {
      try LibraryError.check(images_load_unpacking)
    } catch {
      throw LayerError("\(error)", remedy: LibraryError.remedy)
    }
    guard let cage = order.cage else { return }
    do throws(KernelError) {
      try check("shut the unpacker into", cage) { images_enter_cage(cage) }
    } catch {
      throw LayerError(error)
    }
  }

  private static func lower(_ settlement: UnpackerMessage.Settlement) throws(LayerError) -> LowerLayers {
    do {
      return try LowerLayers(settlement.lower)
    } catch {
      throw LayerError(error)
    }
  }
}
