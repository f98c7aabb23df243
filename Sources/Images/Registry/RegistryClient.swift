import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import Kernel
import Synchronization

/// The OCI distribution specification, for one repository of one registry.
package final class RegistryClient: Sendable {
  package let reference: ImageReference
  let endpoint: RegistryEndpoint
  let login: RegistryLogin
  /// The rights that are asked for, as `repository:a/b:pull`.
  let scopes: [String]
  let authority = Mutex(Authority())
  let delays: RetryDelays
  /// True once plain HTTP has been tried in place of TLS.
  let hasFallenBack = Atomic(false)
  /// True once the registry has said anything. A connection that it refuses then is a passing fault.
  let hasAnswered = Atomic(false)

  /// The authorization that requests of this repository carry. One thread at a time finds it out.
  struct Authority {
    var header: String?
    var expires: Double = .infinity
    var challenge: AuthenticationChallenge?
    var hasAsked = false
    /// Given with the last token, for later ones.
    var identityToken: String?
  }

  /// - Parameters:
  ///   - actions: `pull`, or `pull,push`.
  ///   - further: repositories of the same registry from which blobs are to be taken over.
  package init(
    _ reference: ImageReference, endpoint: RegistryEndpoint, login: RegistryLogin, actions: String = "pull",
    further: [String] = [], delays: RetryDelays = RetryDelays()
  ) {
    (self.reference, self.endpoint, self.login, self.delays) = (reference, endpoint, login, delays)
    let own = reference.path.isEmpty ? [] : ["repository:\(reference.path):\(actions)"]
    scopes = own + further.map { "repository:\($0):pull" }
  }

  var url: String { endpoint.url(isPlain: endpoint.isPlain || hasFallenBack.load(ordering: .relaxed)) }

  static let image = "this image"

  // MARK: Manifests

  package struct Manifest: Sendable {
    package var bytes: [UInt8]
    package var type: String?
    package var digest: ContentDigest
  }

  private static let accepted = MediaType.accepted.map { "Accept: \($0)" }

  /// The digest that a tag has now, by HEAD: registries do not count it as a pull. Nil where the registry does not say.
  package func digest(of selector: String, _ watch: RequestWatch) throws(RegistryError) -> ContentDigest? {
    let transfer = try makeTransfer()
    let operation = Operation("/v2/\(reference.path)/manifests/\(selector)", method: "HEAD", Self.accepted, Self.image)
    let answer = try retrying(watch) { () throws(RegistryError) in
      try send(operation, over: transfer, watch, accepts: [200, 405]) { _, _ in true }
    }
    return answer.status == 200 ? answer.first("docker-content-digest").flatMap { ContentDigest($0) } : nil
  }

  /// The manifest under a tag or a digest.
  package func manifest(_ selector: String, _ watch: RequestWatch) throws(RegistryError) -> Manifest {
    let operation = Operation("/v2/\(reference.path)/manifests/\(selector)", Self.accepted, Self.image)
    let (answer, bytes) = try fetch(operation, limit: ManifestDocument.limit, watch)
    let wanted = ContentDigest(selector)
    let digest = try hash(bytes, wanted?.algorithm ?? .sha256)
    guard wanted == nil || digest == wanted else {
      throw RegistryError(
        .bad, "\(endpoint.host) sent a manifest with the digest \(digest) for \(selector)",
        remedy: "the registry or somebody on the way to it is at fault: pull again, or ask who runs it")
    }
    if wanted == nil, let said = answer.first("docker-content-digest"), let named = ContentDigest(said),
      try hash(bytes, named.algorithm) != named
    {
      throw RegistryError(.bad, "\(endpoint.host) sent a manifest that is not the one with the digest it names")
    }
    return Manifest(bytes: bytes, type: answer.first("content-type"), digest: digest)
  }

  /// A small blob, such as a configuration, checked.
  package func blob(_ blob: BlobDescriptor, limit: Int, _ watch: RequestWatch) throws(RegistryError) -> [UInt8] {
    let operation = Operation("/v2/\(reference.path)/blobs/\(blob.digest)", [], "blob \(blob.digest.short)")
    let (_, bytes) = try fetch(operation, limit: limit, watch)
    guard Int64(bytes.count) == blob.size, try hash(bytes, blob.digest.algorithm) == blob.digest else {
      throw RegistryError(
        .bad, "\(endpoint.host) sent other bytes for \(blob.digest.short) than the manifest names",
        remedy: "pull again; if it stays so, the registry is damaged")
    }
    return bytes
  }

  private func hash(_ bytes: [UInt8], _ algorithm: ContentDigest.Algorithm) throws(RegistryError) -> ContentDigest {
    do {
      return try ContentHash.digest(of: bytes, algorithm)
    } catch {
      throw RegistryError(.broken, "\(error)", remedy: LibraryError.remedy)
    }
  }

  private func fetch(
    _ operation: Operation, limit: Int, _ watch: RequestWatch
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    let transfer = try makeTransfer()
    return try retrying(watch) { () throws(RegistryError) in
      let collector = Collector(limit: limit)
      do throws(RegistryError) {
        return (try send(operation, over: transfer, watch) { _, bytes in collector.take(bytes) }, collector.bytes)
      } catch {
        guard collector.isOver else { throw error }
        throw RegistryError(.bad, "\(endpoint.host) sent more than \(limit) bytes for \(operation.what)")
      }
    }
  }

  /// Has the registry check the credentials that there are.
  ///
  /// - Returns: a token that stands for the password from now on, where the registry gives one.
  package func logIn(_ watch: RequestWatch) throws(RegistryError) -> String? {
    let transfer = try makeTransfer()
    try retrying(watch) { () throws(RegistryError) in
      _ = try send(Operation("/v2/", [], "the login"), over: transfer, watch) { _, _ in true }
    }
    return authority.withLock { $0.identityToken }
  }

  // MARK: Layers

  /// Brings a blob, from a place on. `take` gets its bytes in order, and answers whether to go on.
  ///
  /// - Parameters:
  ///   - start: how many bytes are there already.
  ///   - restart: the registry cannot send a part: all begins anew.
  package func download(
    _ blob: BlobDescriptor, from start: Int64, _ watch: RequestWatch, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) {
    let transfer = try makeTransfer()
    var operation = Operation("/v2/\(reference.path)/blobs/\(blob.digest)", [], "layer \(blob.digest.short)")
    let progress = Progress(start)
    try retrying(watch, progress: { progress.have }) { () throws(RegistryError) in
      guard progress.have < blob.size else { return }
      operation.headers = progress.have > 0 ? ["Range: bytes=\(progress.have)-"] : []
      progress.hasBegun = false
      do throws(RegistryError) {
        _ = try send(operation, over: transfer, watch) { answer, bytes in
          progress.take(answer, bytes, size: blob.size, restart: restart) && take(bytes)
        }
      } catch {
        guard let fault = progress.fault else { throw error }
        throw RegistryError(.bad, "\(endpoint.host) sends \(fault) of \(operation.what)")
      }
      guard progress.have == blob.size else {
        throw RegistryError(
          .broken, "\(endpoint.host) sent \(progress.have) of the \(blob.size) bytes of \(operation.what)",
          remedy: "pull again: what has come is kept")
      }
    }
  }

  private final class Progress {
    var have: Int64
    var hasBegun = false
    var fault: String?

    init(_ have: Int64) { self.have = have }

    func take(
      _ answer: Transfer.Answer, _ bytes: UnsafeRawBufferPointer, size: Int64, restart: () -> Bool
    ) -> Bool {
      if !hasBegun {
        hasBegun = true
        let begins = answer.status == 206 ? Self.start(ofRange: answer.first("content-range")) : 0
        if begins != have {
          guard begins == 0, restart() else {
            fault = "another part than was asked for"
            return false
          }
          have = 0
        }
      }
      guard have + Int64(bytes.count) <= size else {
        fault = "more than the \(size) bytes"
        return false
      }
      have += Int64(bytes.count)
      return true
    }

    /// `bytes 100-199/200` begins at 100.
    private static func start(ofRange text: String?) -> Int64? {
      guard let text, let space = text.firstIndex(of: " "), let dash = text.firstIndex(of: "-"), space < dash else {
        return nil
      }
      return Int64(text[text.index(after: space)..<dash])
    }
  }
}

/// Bytes of an answer, up to a limit.
final class Collector {
  private let limit: Int
  private(set) var bytes: [UInt8] = []
  private(set) var isOver = false

  init(limit: Int) { self.limit = limit }

  func take(_ piece: UnsafeRawBufferPointer) -> Bool {
    isOver = bytes.count + piece.count > limit
    if !isOver { bytes.append(contentsOf: piece) }
    return !isOver
  }
}

/// A registry's reasons for a refusal: `{"errors": [{"message": …}]}`, or a line of text.
struct RegistryWords {
  private struct Reply: Decodable {
    struct Entry: Decodable {
      var code: String?
      var message: String?
    }
    var errors: [Entry]?
    var details: String?
  }

  let text: String?

  init(_ bytes: [UInt8]) {
    let reply = try? JSONDecoder().decode(Reply.self, from: Data(bytes))
    let entry = reply?.errors?.first
    let words = entry?.message ?? entry?.code ?? reply?.details ?? Self.line(bytes)
    text = words.flatMap { $0.isEmpty ? nil : VisibleText.line(String($0.prefix(300))) }
  }

  /// Text as people write it, and neither a page nor a document.
  private static func line(_ bytes: [UInt8]) -> String? {
    guard bytes.count <= 300, let first = bytes.first, !"<{[".utf8.contains(first) else { return nil }
    return String(decoding: bytes, as: UTF8.self).trimmed
  }
}
