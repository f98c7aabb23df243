import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference

/// The pushing half of the specification: blobs in sessions, and then the manifest that names them.
extension RegistryClient {
  /// The way in which a blob came to be in the registry.
  package enum Upload: String, Codable, Sendable { case present, mounted, sent }

  /// The bytes of a blob: puts those from a place on into a buffer, and answers how many; nil when they cannot be had.
  package typealias Source = (_ offset: Int64, _ buffer: UnsafeMutableRawBufferPointer) -> Int?

  /// Brings a blob into the repository, unless it is there.
  ///
  /// - Parameter origins: repositories of the registry that may have it.
  package func upload(
    _ blob: BlobDescriptor, mounting origins: [String], _ watch: RequestWatch, from source: @escaping Source,
    progress: @escaping (Int64) -> Void
  ) throws(RegistryError) -> Upload {
    let transfer = try makeTransfer()
    let what = "blob \(blob.digest.short)"
    if try retrying(watch, { () throws(RegistryError) in try has(blob, transfer, watch) }) { return .present }
    for origin in origins {
      let isMounted = try retrying(watch) { () throws(RegistryError) in
        let query = "mount=\(TokenRequest.escaped("\(blob.digest)"))&from=\(TokenRequest.escaped(origin))"
        return try begin(query, what, transfer, watch) == nil
      }
      if isMounted { return .mounted }
    }
    let session = Session(size: blob.size)
    try retrying(watch, progress: { session.offset }) { () throws(RegistryError) in
      try resume(session, what, transfer, watch)
      try send(blob, session, what, transfer, watch, source, progress)
    }
    return .sent
  }

  /// An upload on its way.
  private final class Session {
    let size: Int64
    var place: String?
    var offset: Int64 = 0

    init(size: Int64) { self.size = size }
  }

  private func has(
    _ blob: BlobDescriptor, _ transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) -> Bool {
    let operation = Operation(
      "/v2/\(reference.path)/blobs/\(blob.digest)", method: "HEAD", [], "blob \(blob.digest.short)")
    let answer = try send(operation, over: transfer, watch, accepts: [200, 404]) { _, _ in true }
    return answer.status == 200
  }

  /// Opens a session.
  ///
  /// - Returns: where it is; nil when the blob was taken over instead.
  private func begin(
    _ query: String?, _ what: String, _ transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) -> String? {
    let path = "/v2/\(reference.path)/blobs/uploads/\(query.map { "?\($0)" } ?? "")"
    let operation = Operation(path, method: "POST", Self.binary, what, body: .bytes([]))
    let answer = try send(operation, over: transfer, watch, accepts: [201, 202]) { _, _ in true }
    return answer.status == 201 ? nil : try place(answer, after: url + path, what)
  }

  private static let binary = ["Content-Type: application/octet-stream", "Expect:"]

  /// The address at which the session goes on.
  private func place(
    _ answer: Transfer.Answer, after place: String, _ what: String
  ) throws(RegistryError) -> String {
    let location = answer.first("location") ?? ""
    guard !location.isEmpty, let next = WebOrigin.resolve(location, from: place), let origin = WebOrigin(next),
      origin.scheme == "https" || place.hasPrefix("http:")
    else {
      throw RegistryError(
        .bad, "\(endpoint.host) says of no proper place where \(what) is to go: \(location.prefix(300))")
    }
    return next
  }

  /// Begins, or asks how far it came before it broke off.
  private func resume(
    _ session: Session, _ what: String, _ transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) {
    if let place = session.place {
      let operation = Operation(place, [], what)
      let answer = try send(operation, over: transfer, watch, accepts: [200, 204, 400, 404, 416]) { _, _ in true }
      // docker-registry keeps no session that ended in the middle of a piece.
      if answer.status < 300 {
        session.offset = min(Self.end(ofRange: answer.first("range")), session.size)
        if answer.first("location") != nil { session.place = try self.place(answer, after: place, what) }
        return
      }
    }
    (session.place, session.offset) = (try begin(nil, what, transfer, watch), 0)
  }

  /// `0-99` ends before 100; a session without bytes says `0-0` or nothing.
  private static func end(ofRange text: String?) -> Int64 {
    guard let last = text?.split(separator: "-").last, let number = Int64(last), number > 0 else { return 0 }
    return number + 1
  }

  private func send(
    _ blob: BlobDescriptor, _ session: Session, _ what: String, _ transfer: Transfer, _ watch: RequestWatch,
    _ source: @escaping Source, _ progress: @escaping (Int64) -> Void
  ) throws(RegistryError) {
    if session.offset < session.size, let place = session.place {
      let (start, size) = (session.offset, session.size)
      let range = "Content-Range: \(start)-\(size - 1)"
      let body = Transfer.Body.stream(size: size - start) { offset, buffer in
        let count = source(start + offset, buffer)
        progress(start + offset + Int64(count ?? 0))
        return count
      }
      let operation = Operation(place, method: "PATCH", Self.binary + [range], what, body: body)
      let answer = try send(operation, over: transfer, watch, accepts: [202, 204]) { _, _ in true }
      session.place = try self.place(answer, after: place, what)
      session.offset = size
    }
    guard let place = session.place else { return }
    let query = "\(place.contains("?") ? "&" : "?")digest=\(TokenRequest.escaped("\(blob.digest)"))"
    let operation = Operation(place + query, method: "PUT", Self.binary, what, body: .bytes([]))
    _ = try send(operation, over: transfer, watch, accepts: [201, 204]) { _, _ in true }
  }

  /// Gives the repository a manifest whose blobs are there, under the reference's tag.
  package func put(_ manifest: [UInt8], type: String, _ watch: RequestWatch) throws(RegistryError) {
    let transfer = try makeTransfer()
    let operation = Operation(
      "/v2/\(reference.path)/manifests/\(reference.selector)", method: "PUT", ["Content-Type: \(type)", "Expect:"],
      "the manifest", body: .bytes(manifest))
    try retrying(watch) { () throws(RegistryError) in
      _ = try send(operation, over: transfer, watch, accepts: [200, 201, 202]) { _, _ in true }
    }
  }
}
