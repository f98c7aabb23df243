import CImages
import Digests
import Glibc

/// One connection of libcurl's, which keeps what it has open to a host. For one thread at a time.
final class Transfer {
  private let connection: OpaquePointer

  struct Request {
    var url: String
    var method = "GET"
    /// `Name: value`
    var headers: [String] = []
    var body: Body?
    var trust = ServerTrust()
    /// False refuses connections to addresses of this host's loopback, and to link-local ones.
    var reachesHost = true
  }

  /// The body that goes to the server.
  enum Body {
    case bytes([UInt8])
    /// So many bytes, of which `read` puts those from a place on into a buffer; it answers how many, or nil to give up.
    case stream(size: Int64, read: (Int64, UnsafeMutableRawBufferPointer) -> Int?)
  }

  struct Answer {
    var status = 0
    /// Names in lower case, in the order of the answer.
    var headers: [(name: String, value: String)] = []

    func first(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    func all(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
    var size: Int64? { first("content-length").flatMap { Int64($0) } }
  }

  enum Failure: Error {
    case unreachable(String)
    case brokenOff(String)
    case untrusted(String)
    case badAddress(String)
    /// By ``Request/reachesHost``.
    case keptOff
    /// Whoever took the body, or the user, wanted no more.
    case stopped
  }

  init() throws(LibraryError) {
    try LibraryError.check(images_load_transfer)
    guard let connection = images_connection_make() else { throw LibraryError(reason: "libcurl has no memory") }
    self.connection = connection
  }

  deinit { images_connection_free(connection) }

  /// The target of C's callbacks while a request is on its way.
  private final class Exchange {
    var answer = Answer()
    let isStopped: () -> Bool
    let takeBody: (Answer, UnsafeRawBufferPointer) -> Bool
    private let source: (Int64, UnsafeMutableRawBufferPointer) -> Int?
    private var given: Int64 = 0

    init(
      isStopped: @escaping () -> Bool, takeBody: @escaping (Answer, UnsafeRawBufferPointer) -> Bool,
      source: @escaping (Int64, UnsafeMutableRawBufferPointer) -> Int?
    ) {
      (self.isStopped, self.takeBody, self.source) = (isStopped, takeBody, source)
    }

    func readBody(_ room: UnsafeMutableRawBufferPointer) -> Int? {
      guard let count = source(given, room) else { return nil }
      given += Int64(count)
      return count
    }

    func take(header bytes: UnsafeRawBufferPointer) {
      let line = String(decoding: bytes.prefix(16384), as: UTF8.self).trimmed
      // Another head begins: that before was of a proxy, or said only to go on.
      if line.hasPrefix("HTTP/") {
        answer = Answer()
        answer.status = Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
        return
      }
      guard let colon = line.firstIndex(of: ":"), answer.headers.count < 200 else { return }
      answer.headers.append(
        (line[..<colon].lowercased().trimmed, String(line[line.index(after: colon)...]).trimmed))
    }
  }

  private static let connectSeconds = 15
  private static let idleSeconds = 30

  /// Sends a request and takes its answer. No redirection is followed.
  ///
  /// - Parameter body: gets the head and a piece of the body, and answers whether to go on.
  func perform(
    _ request: Request, isStopped: @escaping () -> Bool,
    body: @escaping (Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(Failure) -> Answer {
    var source: (Int64, UnsafeMutableRawBufferPointer) -> Int? = { _, _ in 0 }
    if case .stream(_, let read)? = request.body { source = read }
    let exchange = Exchange(isStopped: isStopped, takeBody: body, source: source)
    var status = 0
    var reason = [CChar](repeating: 0, count: 256)
    let outcome = withExtendedLifetime(exchange) { send(request, for: exchange, &status, &reason) }
    let words = String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    switch outcome {
    case IMAGES_DONE:
      exchange.answer.status = status
      return exchange.answer
    case IMAGES_UNREACHABLE: throw .unreachable(words)
    case IMAGES_UNTRUSTED: throw .untrusted(words)
    case IMAGES_BAD_ADDRESS: throw .badAddress(words)
    case IMAGES_STOPPED: throw .stopped
    case IMAGES_KEPT_OFF: throw .keptOff
    default: throw .brokenOff(words)
    }
  }

  private func send(
    _ request: Request, for exchange: Exchange, _ status: inout Int, _ reason: inout [CChar]
  ) -> images_outcome {
    var raw = images_request()
    raw.connect_seconds = Self.connectSeconds
    raw.idle_seconds = Self.idleSeconds
    raw.accepts_any_certificate = request.trust.acceptsAny ? 1 : 0
    raw.keeps_off_host = request.reachesHost ? 0 : 1
    raw.context = Unmanaged.passUnretained(exchange).toOpaque()
    raw.on_header = { context, line, count in
      guard let context, let line else { return }
      Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
        .take(header: UnsafeRawBufferPointer(start: line, count: count))
    }
    raw.on_body = { context, bytes, count in
      guard let context, let bytes else { return 0 }
      let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
      return exchange.takeBody(exchange.answer, UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
    }
    raw.is_stopped = { context in
      guard let context else { return 1 }
      return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().isStopped() ? 1 : 0
    }
    let headers = request.headers.map { strdup($0) } + [nil]
    defer { for header in headers { free(header) } }
    var body: [UInt8] = []
    switch request.body {
    case nil: break
    case .bytes(let bytes): body = bytes
    case .stream(let size, _):
      raw.read_size = size
      raw.read = { context, bytes, count in
        guard let context, let bytes else { return -1 }
        let room = UnsafeMutableRawBufferPointer(start: bytes, count: count)
        return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().readBody(room) ?? -1
      }
    }
    let isWhole = if case .bytes? = request.body { true } else { false }
    return headers.map { UnsafePointer($0) }.withUnsafeBufferPointer { lines in
      request.url.withCString { url in
        request.method.withCString { method in
          body.withUnsafeBytes { bytes in
            request.trust.withBytes { authority, certificate, key in
              raw.headers = lines.baseAddress
              (raw.url, raw.method) = (url, method)
              raw.has_body = isWhole ? 1 : 0
              raw.body = images_bytes(start: bytes.baseAddress, count: bytes.count)
              (raw.authority, raw.certificate, raw.key) = (authority, certificate, key)
              return images_perform(connection, &raw, &status, &reason)
            }
          }
        }
      }
    }
  }
}

/// The certificates that a server may have, and those that it gets to see. Contents of files, in PEM.
package struct ServerTrust: Hashable, Sendable, Codable {
  /// Further authorities. Empty: the system's alone.
  package var authority: [UInt8] = []
  package var certificate: [UInt8] = []
  package var key: [UInt8] = []
  package var acceptsAny = false

  package init() {}

  fileprivate func withBytes<Result>(
    _ body: (images_bytes, images_bytes, images_bytes) -> Result
  ) -> Result {
    func bytes(_ buffer: UnsafeRawBufferPointer) -> images_bytes {
      images_bytes(start: buffer.isEmpty ? nil : buffer.baseAddress, count: buffer.count)
    }
    return authority.withUnsafeBytes { authority in
      certificate.withUnsafeBytes { certificate in
        key.withUnsafeBytes { key in body(bytes(authority), bytes(certificate), bytes(key)) }
      }
    }
  }
}

extension StringProtocol {
  /// Without white space around it.
  var trimmed: String {
    let isBlank = { (character: Character) in character.isWhitespace }
    let start = drop(while: isBlank)
    return String(start[..<(start.lastIndex { !isBlank($0) }.map { start.index(after: $0) } ?? start.startIndex)])
  }
}
