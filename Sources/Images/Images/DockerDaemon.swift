import FoundationEssentials
import Glibc
import ImageReference
import Kernel
import SystemPackage

/// The Docker of this host, asked for an image over its socket (Docker Engine API, `GET /images/NAME/get`).
struct DockerDaemon {
  private let path: String

  /// - Throws: that the Docker that the environment names is not of this host.
  init(environment: [String: String], image: String) throws(ImageError) {
    let host = environment["DOCKER_HOST"].flatMap { $0.isEmpty ? nil : $0 } ?? "unix:///var/run/docker.sock"
    guard host.hasPrefix("unix://") else {
      throw ImageError(
        image, "DOCKER_HOST is \(VisibleText.line(host)), which is no socket of this host",
        remedy: "unset it, or save the image there and use docker-archive:")
    }
    path = String(host.dropFirst(7))
  }

  private static let longestHead = 1 << 16
  private static let longestWords = 1 << 12

  /// An image as `docker save` writes it, from its first byte on.
  ///
  /// - Parameter take: gets the archive piece by piece, and answers whether to go on.
  func save(_ name: String, image: String, take: (UnsafeRawBufferPointer) -> Bool) throws(ImageError) {
    let socket = try connect(image)
    // By HTTP/1.0, whose answers come as they are and end with the connection. A name has no sign that a path may not have.
    let request = "GET /images/\(name)/get HTTP/1.0\r\nHost: docker\r\n\r\n"
    do {
      try socket.fileDescriptor.writeInFull(Array(request.utf8))
    } catch {
      throw ImageError(image, KernelError("ask", path, errno: error))
    }
    var head: [UInt8]? = []
    var status = 0
    var words: [UInt8] = []
    func pass(_ bytes: UnsafeRawBufferPointer) -> Bool {
      guard status != 200 else { return bytes.isEmpty || take(bytes) }
      words += bytes.prefix(Self.longestWords - words.count)
      return words.count < Self.longestWords
    }
    let failure = withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer -> Errno? in
      while true {
        let count = read(socket.rawValue, buffer.baseAddress, buffer.count)
        if count < 0, Errno.last == .interrupted { continue }
        if count <= 0 { return count == 0 ? nil : .last }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        guard var begun = head else {
          guard pass(bytes) else { return nil }
          continue
        }
        let known = begun.count
        begun += bytes
        guard let end = Self.endOfHead(begun) else {
          guard begun.count < Self.longestHead else { return nil }
          head = begun
          continue
        }
        (head, status) = (nil, Self.status(begun))
        guard pass(UnsafeRawBufferPointer(rebasing: bytes[(end - known)...])) else { return nil }
      }
    }
    if let failure { throw ImageError(image, KernelError("read from", path, errno: failure)) }
    guard status != 200 else { return }
    throw refusal(status, words, image)
  }

  private func refusal(_ status: Int, _ words: [UInt8], _ image: String) -> ImageError {
    struct Reply: Decodable { var message: String? }
    guard status != 404 else {
      return ImageError(
        image, "the Docker of this host has no such image", remedy: "for those that it has: docker images")
    }
    let said = (try? JSONDecoder().decode(Reply.self, from: Data(words)))?.message
    return ImageError(
      image, "\(path) answers \(status)\(said.map { ": \(VisibleText.line(String($0.prefix(300))))" } ?? "")")
  }

  private func connect(_ image: String) throws(ImageError) -> Descriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { throw ImageError(image, "\(path) is too long for a socket") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    do throws(KernelError) {
      let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
      let socket = Descriptor(adopting: try check("make", "a socket") { Glibc.socket(AF_UNIX, kind, 0) })
      let outcome = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      guard outcome == 0 else {
        throw KernelError("connect to", path, errno: .last, remedy: "see that Docker runs: systemctl start docker")
      }
      return socket
    } catch {
      throw ImageError(image, error)
    }
  }

  /// Behind the empty line.
  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    bytes.firstRange(of: [0x0D, 0x0A, 0x0D, 0x0A])?.upperBound
  }

  private static func status(_ head: [UInt8]) -> Int {
    let line = String(decoding: head.prefix { $0 != 0x0D }, as: UTF8.self).split(separator: " ")
    return line.count > 1 && line[0].hasPrefix("HTTP/") ? Int(line[1]) ?? 0 : 0
  }
}
