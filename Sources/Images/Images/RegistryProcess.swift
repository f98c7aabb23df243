import CImages
import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Registry
import Synchronization
import SystemPackage

/// Makes the processes that talk to registries.
package protocol RegistryLauncher: Sendable {
  /// True if what it makes is a process of its own, which shuts itself in.
  var isProcess: Bool { get }
  /// - Parameters:
  ///   - control: its end of the socket.
  ///   - environment: all of its environment.
  /// - Returns: what ends it.
  func launch(control: FileDescriptor, environment: [String]) throws(KernelError) -> @Sendable () -> Void
}

/// One image of a registry, through the process that talks to it. The process ends with this value.
final class RegistryProcess: ImageFeed {
  let place: String
  private let image: String
  private let digest: ContentDigest?
  private let control: FrameChannel
  private let socket: CInt
  /// Streams are passed on one at a time.
  private let passing = Mutex(())
  private let end: @Sendable () -> Void

  init(
    _ order: RegistryOrder, _ launcher: any RegistryLauncher, environment: [String: String]
  ) throws(ImageError) {
    var order = order
    order.isConfined = launcher.isProcess
    (image, place) = (order.image, order.place)
    digest = order.places.last?.reference.digest
    let pair = try imaging(image) { () throws(KernelError) in try SocketPair() }
    end = try imaging(order.image) { () throws(KernelError) in
      try launcher.launch(
        control: pair.theirs.fileDescriptor, environment: RegistryOrder.proxies(of: environment))
    }
    let own = pair.ours()
    socket = own.rawValue
    control = FrameChannel(own)
    guard control.send(.order, message: order), let reply = control.receive(.reply, RegistryReply.self) else {
      throw gone
    }
    if let failure = reply.failure { throw failure }
  }

  deinit { end() }

  private var gone: ImageError {
    ImageError(image, "what talks to \(place) ended before it was done", remedy: "try again; if it stays so, report it")
  }

  /// Begins a request.
  private func stream(_ request: RegistryRequest) throws(ImageError) -> FrameChannel {
    let pair = try imaging(image) { () throws(KernelError) in try SocketPair() }
    let isPassed = passing.withLock { _ in images_send_descriptor(socket, pair.theirs.rawValue) == 0 }
    let stream = FrameChannel(pair.ours())
    guard isPassed, stream.send(.request, message: request) else { throw gone }
    return stream
  }

  /// Reads a stream up to its reply.
  private func finish(
    _ stream: FrameChannel, _ watch: RequestWatch, document: ([UInt8]) -> Void = { _ in },
    progress: (Int64) -> Void = { _ in },
    restart: () -> Bool = { false }, take: (UnsafeRawBufferPointer) -> Bool = { _ in false }
  ) throws(ImageError) -> RegistryReply {
    var isTaken = true
    while true {
      let frame = stream.receive(isStopped: watch.isStopped) { piece in
        isTaken = take(piece)
        return isTaken
      }
      guard let frame else { throw watch.isStopped() || !isTaken ? ImageError(image, .stopped) : gone }
      switch frame.kind {
      case .notice: watch.notify(VisibleText.line(String(decoding: frame.bytes.prefix(1000), as: UTF8.self)))
      case .document: document(frame.bytes)
      case .restart:
        guard restart() else { throw ImageError(image, .stopped) }
      case .progress:
        if let count = try? JSONDecoder().decode(Int64.self, from: Data(frame.bytes)) { progress(count) }
      case .data: break
      case .reply:
        guard let reply = try? JSONDecoder().decode(RegistryReply.self, from: Data(frame.bytes)) else { throw gone }
        if let failure = reply.failure { throw failure }
        return reply
      case .order, .request: throw gone
      }
    }
  }

  func image(
    for platform: ImagePlatform, known: ContentDigest?, _ watch: RequestWatch
  ) throws(ImageError) -> FedImage? {
    var documents: [[UInt8]] = []
    let stream = try stream(.image(platform, known: known))
    guard let image = try finish(stream, watch, document: { documents.append($0) }).image else {
      guard known != nil else { throw gone }
      return nil
    }
    guard image.documents.count == documents.count else { throw gone }
    let found = FedImage(
      record: image.record, digest: image.digest, warnings: image.warnings,
      documents: zip(image.documents, documents).map { FedDocument(digest: $0, bytes: $1) })
    try check(found)
    return found
  }

  /// The process says of an image no more than the registry can say: bytes with their digests, the one that was asked
  /// for, and layers that the manifest names.
  private func check(_ found: FedImage) throws(ImageError) {
    for document in found.documents {
      let digest: ContentDigest
      do throws(LibraryError) {
        digest = try ContentHash.digest(of: document.bytes, document.digest.algorithm)
      } catch {
        throw ImageError(image, error)
      }
      guard digest == document.digest else { throw gone }
    }
    func bytes(_ digest: ContentDigest) -> [UInt8]? { found.documents.first { $0.digest == digest }?.bytes }
    let layers = found.record.layers
    guard digest == nil || digest == found.digest, bytes(found.digest) != nil,
      let manifest = bytes(found.record.manifest), let configuration = bytes(found.record.configuration),
      Self.names(manifest, [found.record.configuration] + layers.map(\.blob)),
      Self.names(configuration, layers.map(\.content))
    else { throw ImageError(image, "what \(place) sent does not name its own parts") }
  }

  private static func names(_ document: [UInt8], _ digests: [ContentDigest]) -> Bool {
    let text = String(decoding: document, as: UTF8.self)
    return digests.allSatisfy { text.contains($0.hex) }
  }

  func layer(
    _ blob: BlobDescriptor, from start: Int64, _ watch: RequestWatch, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) {
    _ = try finish(try stream(.layer(blob, from: start)), watch, restart: restart, take: take)
  }

  func digest(_ watch: RequestWatch) throws(ImageError) -> ContentDigest {
    guard let digest = try finish(try stream(.digest), watch).digest else { throw gone }
    return digest
  }

  // MARK: Pushing

  /// - Parameter origins: repositories of the registry that may have the blob.
  func upload(
    _ blob: BlobDescriptor, from file: borrowing Descriptor, mounting origins: [String], _ watch: RequestWatch,
    progress: (Int64) -> Void
  ) throws(ImageError) -> RegistryClient.Upload {
    let stream = try stream(.upload(blob, mounting: origins))
    guard stream.send(descriptor: file.rawValue) else { throw gone }
    guard let upload = try finish(stream, watch, progress: progress).upload else { throw gone }
    return upload
  }

  func put(_ manifest: [UInt8], type: String, _ watch: RequestWatch) throws(ImageError) {
    let stream = try stream(.manifest(type: type))
    guard stream.send(.document, bytes: manifest) else { throw gone }
    _ = try finish(stream, watch)
  }

  // MARK: The web

  func file(
    _ address: String, reachesHost: Bool, _ watch: RequestWatch, take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(ImageError) -> Download {
    let stream = try stream(.file(address, reachesHost: reachesHost))
    guard let download = try finish(stream, watch, take: take).download else { throw gone }
    return download
  }

  // MARK: Login

  /// - Returns: a token that stands for the password, where the registry gives one.
  func logIn(_ watch: RequestWatch) throws(ImageError) -> String? {
    try finish(try stream(.logIn), watch).identityToken
  }
}

/// A thread of this program in the place of a process: for callers who may make none (`login` without root), and tests.
package struct RegistryThread: RegistryLauncher {
  package init() {}

  package var isProcess: Bool { false }

  package func launch(control: FileDescriptor, environment: [String]) throws(KernelError) -> @Sendable () -> Void {
    let number = try check("make", "a descriptor") { dup(control.rawValue) }
    try Thread.detach {
      RegistryService.serve(control: FileDescriptor(rawValue: number))
      close(number)
    }
    return {}
  }
}
