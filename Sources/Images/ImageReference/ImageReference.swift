/// The name of an image in a registry: `[domain/]path[:tag][@digest]` (github.com/distribution/reference).
///
/// A name without a registry means docker.io, as with Docker.
package struct ImageReference: Hashable, Sendable, Codable {
  /// `docker.io`, `localhost:5000`, `[::1]:5000`. Never `index.docker.io`.
  package let domain: String
  /// `library/nginx`: at most 255 bytes.
  package let path: String
  package let tag: String?
  /// It decides where both are given; the tag is then for people.
  package let digest: ContentDigest?

  package static let hub = "docker.io"

  package init(domain: String, path: String, tag: String?, digest: ContentDigest?) {
    (self.domain, self.path, self.tag, self.digest) = (domain, path, tag, digest)
  }

  /// Reads a name as people write it: `nginx`, `ghcr.io/a/b:1.2`, `web@sha256:…`. Without tag and digest, the tag is `latest`.
  package init(_ text: String) throws(ImageReferenceError) {
    guard !text.isEmpty else { throw ImageReferenceError(text, "is empty", "write a name such as nginx:alpine") }
    guard !(text.utf8.count == 64 && ContentDigest.isHex(text)) else {
      throw ImageReferenceError(
        text, "is an image's id and not a name", "write the name, or the digest: name@sha256:…")
    }
    var rest = Substring(text)
    var digest: ContentDigest?
    if let sign = rest.firstIndex(of: "@") {
      let written = rest[rest.index(after: sign)...]
      guard let read = ContentDigest(written) else { throw Self.badDigest(text, written) }
      digest = read
      rest = rest[..<sign]
    }
    var (domain, remainder) = Self.split(rest)
    var tag: String?
    // A colon behind the last slash: before it, it would be a port's.
    if let colon = remainder.lastIndex(of: ":"), !remainder[colon...].contains("/") {
      let written = remainder[remainder.index(after: colon)...]
      guard Self.isTag(written) else {
        throw ImageReferenceError(
          text, "has no proper tag: \"\(written.prefix(150))\"",
          "a tag has at most 128 letters, digits, `_`, `.` and `-`, and begins with none of the last two")
      }
      tag = String(written)
      remainder = remainder[..<colon]
    }
    guard Self.isDomain(domain) else {
      throw ImageReferenceError(
        text, "has no proper registry: \"\(domain)\"", "write a host and a port: registry.example:5000/name")
    }
    if domain == "index.docker.io" { domain = Self.hub }
    let path = domain == Self.hub && !remainder.contains("/") ? "library/\(remainder)" : String(remainder)
    try Self.check(path: remainder, whole: path, of: text)
    self.init(domain: domain, path: path, tag: tag ?? (digest == nil ? "latest" : nil), digest: digest)
  }

  /// Whole, with everything that may be left out: `docker.io/library/nginx:latest`.
  package var canonical: String { "\(repository)\(tag.map { ":\($0)" } ?? "")\(digest.map { "@\($0)" } ?? "")" }

  /// `docker.io/library/nginx`
  package var repository: String { "\(domain)/\(path)" }

  /// Without docker.io, as Docker shows it: `nginx`.
  package var familiarRepository: String {
    guard domain == Self.hub else { return repository }
    let own = "library/"
    let short = path.hasPrefix(own) ? path.dropFirst(own.count) : path[...]
    // `library/a/b` keeps its folder. A first part that looks like a registry keeps docker.io. Each would be read as
    // another image.
    let name = short.contains("/") ? path : String(short)
    return Self.split(name[...]).domain == Self.hub ? name : repository
  }

  /// As people write it: `nginx:alpine`.
  package var familiar: String {
    "\(familiarRepository)\(tag.map { ":\($0)" } ?? "")\(digest.map { "@\($0)" } ?? "")"
  }

  /// The same name by its digest alone.
  package func pinned(to digest: ContentDigest) -> ImageReference {
    ImageReference(domain: domain, path: path, tag: nil, digest: digest)
  }

  /// The same name, held to a digest.
  package func locked(to digest: ContentDigest) -> ImageReference {
    ImageReference(domain: domain, path: path, tag: tag, digest: digest)
  }

  /// The registry's name for it: its digest, or else its tag.
  package var selector: String { digest.map { "\($0)" } ?? tag ?? "latest" }

  /// The host that is dialled, which differs from the name for Docker's own registry.
  package var host: String { domain == Self.hub ? "registry-1.docker.io" : domain }
}

extension ImageReference: CustomStringConvertible {
  package var description: String { familiar }
}

/// The reason that a text names no image.
package struct ImageReferenceError: Error, Hashable, Sendable {
  package var text: String
  /// As it follows the name: `has no proper tag`.
  package var problem: String
  package var remedy: String

  init(_ text: String, _ problem: String, _ remedy: String) {
    (self.text, self.problem, self.remedy) = (String(text.prefix(150)), problem, remedy)
  }
}

extension ImageReferenceError: CustomStringConvertible {
  package var description: String { "\"\(text)\" \(problem)" }
}

extension ImageReference {
  /// The registry, docker.io where none is written, and the rest.
  private static func split(_ text: Substring) -> (domain: String, rest: Substring) {
    guard let slash = text.firstIndex(of: "/") else { return (hub, text) }
    let first = text[..<slash]
    let isDomain =
      first == "localhost" || first.contains(".") || first.contains(":")
      || first.utf8.contains { (0x41...0x5A).contains($0) }
    return isDomain ? (String(first), text[text.index(after: slash)...]) : (hub, text)
  }

  private static func badDigest(_ text: String, _ digest: Substring) -> ImageReferenceError {
    let lengths = ContentDigest.Algorithm.allCases.map { "\($0.rawValue): and \($0.length)" }
    return ImageReferenceError(
      text, "has no proper digest: \"\(digest.prefix(150))\"",
      "a digest is \(lengths.joined(separator: ", or ")) digits 0-9a-f")
  }

  private static func check(path: Substring, whole: String, of text: String) throws(ImageReferenceError) {
    guard !path.isEmpty else { throw ImageReferenceError(text, "has no name", "write a name such as nginx:alpine") }
    guard !path.utf8.contains(where: { (0x41...0x5A).contains($0) }) else {
      throw ImageReferenceError(text, "has upper-case letters", "write \(text.lowercased())")
    }
    guard whole.utf8.count <= 255 else {
      throw ImageReferenceError(text, "has a name of \(whole.utf8.count) bytes", "a name has at most 255")
    }
    for part in path.split(separator: "/", omittingEmptySubsequences: false) where !isPart(part) {
      throw ImageReferenceError(
        text, "has no proper name: \"\(part.prefix(150))\"",
        "a part has lower-case letters and digits, and between them `.`, `_`, `__` or dashes")
    }
  }

  /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
  private static func isPart(_ text: Substring) -> Bool {
    func isPlain(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) }
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last) else { return false }
    return bytes.split(whereSeparator: isPlain).allSatisfy { separator in
      [[0x2E], [0x5F], [0x5F, 0x5F]].contains(Array(separator)) || separator.allSatisfy { $0 == 0x2D }
    }
  }

  /// `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
  package static func isTag(_ text: some StringProtocol) -> Bool {
    func isWord(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == 0x5F
    }
    guard let first = text.utf8.first, isWord(first), text.utf8.count <= 128 else { return false }
    return text.utf8.allSatisfy { isWord($0) || $0 == 0x2E || $0 == 0x2D }
  }

  /// Host names, addresses, `[v6]` without a zone; each with a port or without.
  private static func isDomain(_ text: String) -> Bool {
    var host = Substring(text)
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return false }
      let rest = host[host.index(after: end)...]
      let address = host[..<end].dropFirst().utf8
      guard rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst()) else { return false }
      return address.contains(0x3A)
        && address.allSatisfy {
          (0x30...0x3A).contains($0) || (0x61...0x66).contains($0) || (0x41...0x46).contains($0) || $0 == 0x2E
        }
    }
    if let colon = host.firstIndex(of: ":") {
      guard isPort(host[host.index(after: colon)...]) else { return false }
      host = host[..<colon]
    }
    return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      let bytes = label.utf8
      guard let first = bytes.first, let last = bytes.last, first != 0x2D, last != 0x2D else { return false }
      return bytes.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x2D
      }
    }
  }

  private static func isPort(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt16(text) != nil
  }
}
