import CImages
import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import Kernel
import Registry
import SystemPackage

/// The inside of a registry process: HTTP, TLS, and all that a registry writes is read here. It is shut in before the first byte
/// comes.
package enum RegistryService {
  /// Serves until the other side is gone.
  ///
  /// - Parameter control: gives the order, and then a stream for each request.
  package static func serve(control: FileDescriptor) {
    let socket = Descriptor(adopting: dup(control.rawValue))
    let number = socket.rawValue
    let channel = FrameChannel(socket)
    guard let order = channel.receive(.order, RegistryOrder.self) else { return }
    if let failure = prepare(order) {
      _ = channel.send(.reply, message: RegistryReply(failure: failure))
      return
    }
    guard channel.send(.reply, message: RegistryReply()) else { return }
    let feed = RegistryFeed(order)
    withExtendedLifetime(channel) {
      while true {
        let stream = images_receive_descriptor(number)
        guard stream >= 0 else { return }
        let request = FrameChannel(Descriptor(adopting: stream))
        // Without a thread its stream ends, and the other side says that nobody answers.
        _ = try? Thread.detach { answer(request, feed) }
      }
    }
  }

  /// The libraries first: in the cage their files may be out of sight.
  private static func prepare(_ order: RegistryOrder) -> ImageError? {
    do throws(LibraryError) {
      try LibraryError.check(images_load_transfer)
      try LibraryError.check(images_load_digests)
    } catch {
      return ImageError(order.image, error)
    }
    guard order.isConfined else { return nil }
    do throws(KernelError) {
      try check("shut", "what talks to the registry in") { images_enter_network_cage() }
      return nil
    } catch {
      return ImageError(order.image, error)
    }
  }

  private static func answer(_ stream: FrameChannel, _ feed: RegistryFeed) {
    guard let request = stream.receive(.request, RegistryRequest.self) else { return }
    let watch = RequestWatch(isStopped: { stream.isHungUp }) { text in
      _ = stream.send(.notice, bytes: Array(text.utf8))
    }
    var reply = RegistryReply()
    do throws(ImageError) {
      switch request {
      case .image(let platform, let known):
        let image = try feed.image(for: platform, known: known, watch)
        for document in image?.documents ?? [] where !stream.send(.document, bytes: document.bytes) { return }
        reply = RegistryReply(image: image)
      case .layer(let blob, let start):
        try feed.layer(blob, from: start, watch) {
          stream.send(.restart, bytes: [])
        } take: { bytes in
          stream.send(.data, raw: bytes)
        }
      case .digest: reply.digest = try feed.digest(watch)
      case .logIn:
        reply.identityToken = try feed.own { (client) throws(RegistryError) in try client.logIn(watch) }
      case .upload(let blob, let origins):
        guard case .some(let file) = stream.receiveDescriptor() else { return }
        reply.upload = try upload(blob, origins, from: file.rawValue, stream, feed, watch)
      case .manifest(let type):
        guard let frame = stream.receive(), frame.kind == .document else { return }
        try feed.own { (client) throws(RegistryError) in try client.put(frame.bytes, type: type, watch) }
      case .file(let address, let reachesHost):
        reply.download = try fetch(address, reachesHost, stream, watch)
      }
    } catch {
      reply = RegistryReply(failure: error)
    }
    _ = stream.send(.reply, message: reply)
  }

  private static func fetch(
    _ address: String, _ reachesHost: Bool, _ stream: FrameChannel, _ watch: RequestWatch
  ) throws(ImageError) -> Download {
    do throws(RegistryError) {
      return try Download.fetch(address, reachesHost: reachesHost, isStopped: watch.isStopped) { bytes in
        stream.send(.data, raw: bytes)
      }
    } catch {
      throw ImageError(address, error)
    }
  }

  private static func upload(
    _ blob: BlobDescriptor, _ origins: [String], from file: CInt, _ stream: FrameChannel, _ feed: RegistryFeed,
    _ watch: RequestWatch
  ) throws(ImageError) -> RegistryClient.Upload {
    var told: Int64 = 0
    return try feed.own { (client) throws(RegistryError) in
      try client.upload(blob, mounting: origins, watch) { offset, buffer in
        let count = pread(file, buffer.baseAddress, buffer.count, off_t(offset))
        return count >= 0 ? count : nil
      } progress: { sent in
        guard sent - told >= 1 << 18 || sent == blob.size else { return }
        told = sent
        _ = stream.send(.progress, message: sent)
      }
    }
  }
}
