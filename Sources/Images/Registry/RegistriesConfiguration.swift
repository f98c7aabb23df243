import FoundationEssentials
import Glibc
import ImageReference
import Kernel

/// The administrator's settings for registries: containers-registries.conf(5), version 2, and Docker's daemon.json.
package struct RegistriesConfiguration: Sendable, Hashable {
  struct Mirror: Sendable, Hashable {
    /// `host[:port][/path]`
    var location: String
    var isInsecure = false
    /// True if it may be asked for tags, and for digests.
    var takesTags = true
    var takesDigests = true
  }

  struct Registry: Sendable, Hashable {
    /// The names that it is for: `host`, `host/path`, `*.host`.
    var prefix: String
    var location: String
    var isInsecure = false
    var isBlocked = false
    var mirrors: [Mirror] = []
  }

  var registries: [Registry] = []
  /// `host`, `host:port` or a range of addresses.
  var insecure: [String] = []

  package init() {}

  /// One place that may have an image.
  package struct Place: Sendable, Hashable {
    package var reference: ImageReference
    package var isInsecure: Bool
  }

  /// The places where an image may be, in the order in which it is asked for: mirrors, then the registry itself.
  ///
  /// - Throws: that the registry is blocked.
  package func places(of reference: ImageReference) throws(RegistryError) -> [Place] {
    let repository = reference.repository
    let found = registries.filter { Self.matches($0.prefix, repository) }.max {
      $0.prefix.utf8.count < $1.prefix.utf8.count
    }
    guard let found else { return [Place(reference: reference, isInsecure: isInsecure(reference.domain))] }
    guard !found.isBlocked else {
      throw RegistryError(
        .denied, "\(found.prefix) is blocked on this host", remedy: "see /etc/containers/registries.conf")
    }
    let mirrors = found.mirrors.filter { reference.digest == nil ? $0.takesTags : $0.takesDigests }
    return mirrors.compactMap {
      Self.place(reference, found, at: $0.location, $0.isInsecure || isInsecure($0.location))
    }
      + [Self.place(reference, found, at: found.location, found.isInsecure || isInsecure(found.location))].compactMap(
        \.self)
  }

  private static func place(
    _ reference: ImageReference, _ registry: Registry, at location: String, _ isInsecure: Bool
  ) -> Place? {
    let host = registry.prefix.hasPrefix("*.")
    let rest =
      host ? Substring(reference.path) : reference.repository.dropFirst(registry.prefix.utf8.count).drop { $0 == "/" }
    let base = host && location.isEmpty ? reference.domain : location
    guard let slash = base.firstIndex(of: "/") else {
      let moved = ImageReference(domain: base, path: String(rest), tag: reference.tag, digest: reference.digest)
      return Place(reference: moved, isInsecure: isInsecure)
    }
    let path = rest.isEmpty ? String(base[base.index(after: slash)...]) : "\(base[base.index(after: slash)...])/\(rest)"
    return Place(
      reference: ImageReference(
        domain: String(base[..<slash]), path: path, tag: reference.tag, digest: reference.digest),
      isInsecure: isInsecure)
  }

  /// Whole parts of a name count: `host/a` is no prefix of `host/ab`.
  static func matches(_ prefix: String, _ repository: String) -> Bool {
    if prefix.hasPrefix("*.") {
      let host = repository.prefix { $0 != "/" && $0 != ":" }
      return host.hasSuffix(prefix.dropFirst())
    }
    guard repository.hasPrefix(prefix) else { return false }
    let rest = repository.dropFirst(prefix.count)
    return rest.isEmpty || rest.hasPrefix("/")
  }

  private func isInsecure(_ location: String) -> Bool {
    let domain = String(location.prefix { $0 != "/" })
    let host = domain.hasPrefix("[") ? domain.drop { $0 == "[" }.prefix { $0 != "]" } : domain.prefix { $0 != ":" }
    return insecure.contains { entry in
      entry == domain || entry == host || Self.contains(entry, String(host))
    }
  }

  /// True if a range, as `10.0.0.0/8`, has an address.
  private static func contains(_ range: String, _ host: String) -> Bool {
    let parts = range.split(separator: "/")
    var (network, address) = (in_addr(), in_addr())
    guard parts.count == 2, let length = UInt32(parts[1]), length <= 32,
      inet_pton(AF_INET, String(parts[0]), &network) == 1, inet_pton(AF_INET, host, &address) == 1
    else { return false }
    let mask = length == 0 ? 0 : UInt32.max << (32 - length)
    return UInt32(bigEndian: network.s_addr) & mask == UInt32(bigEndian: address.s_addr) & mask
  }

  // MARK: Files

  /// Reads the host's files; one that is not there says nothing.
  ///
  /// - Throws: that one cannot be understood.
  package static func read(environment: [String: String]) throws(RegistryError) -> RegistriesConfiguration {
    var configuration = RegistriesConfiguration()
    let own = environment["CONTAINERS_REGISTRIES_CONF"].flatMap { $0.isEmpty ? nil : $0 }
    let folder = "/etc/containers/registries.conf.d"
    let further = own == nil ? Files.list(folder).filter { $0.hasSuffix(".conf") }.map { "\(folder)/\($0)" } : []
    for path in [own ?? "/etc/containers/registries.conf"] + further {
      guard let bytes = text(of: path) else { continue }
      do {
        try configuration.add(toml: bytes)
      } catch {
        throw RegistryError(.bad, "\(path):\(error.line): \(error.problem)", remedy: "correct the file")
      }
    }
    if let bytes = text(of: "/etc/docker/daemon.json") { configuration.add(daemon: bytes) }
    return configuration
  }

  private static func text(of path: String) -> String? {
    guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  struct SyntaxError: Error {
    var line: Int
    var problem: String
  }

  /// Adds what a file in TOML says. Of two entries for one prefix the later counts.
  mutating func add(toml text: String) throws(SyntaxError) {
    var reader = RegistriesReader()
    try reader.read(text)
    for var registry in reader.registries {
      if registry.prefix.isEmpty { registry.prefix = registry.location }
      if registry.location.isEmpty, !registry.prefix.hasPrefix("*.") { registry.location = registry.prefix }
      guard !registry.prefix.isEmpty else { continue }
      registries.removeAll { $0.prefix == registry.prefix }
      registries.append(registry)
    }
  }

  private struct Daemon: Decodable {
    var mirrors: [String]?
    var insecure: [String]?

    enum CodingKeys: String, CodingKey {
      case mirrors = "registry-mirrors"
      case insecure = "insecure-registries"
    }
  }

  /// Docker's mirrors are those of its own registry.
  mutating func add(daemon text: String) {
    guard let daemon = try? JSONDecoder().decode(Daemon.self, from: Data(text.utf8)) else { return }
    insecure += daemon.insecure ?? []
    let mirrors = (daemon.mirrors ?? []).compactMap { url -> Mirror? in
      guard let origin = WebOrigin(url) else { return nil }
      let path = url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" }.split(separator: "/").joined(separator: "/")
      return Mirror(location: origin.address + (path.isEmpty ? "" : "/\(path)"), isInsecure: origin.scheme == "http")
    }
    guard !mirrors.isEmpty, !registries.contains(where: { $0.prefix == ImageReference.hub }) else { return }
    registries.append(Registry(prefix: ImageReference.hub, location: ImageReference.hub, mirrors: mirrors))
  }
}

/// The part of TOML that registries.conf has: tables in lists, texts, booleans and lists of texts.
private struct RegistriesReader {
  var registries: [RegistriesConfiguration.Registry] = []
  private var table = Table.top
  private var byDigestOnly = false

  private enum Table { case top, registry, mirror, other }

  mutating func read(_ text: String) throws(RegistriesConfiguration.SyntaxError) {
    var (isInList, number) = (false, 0)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      let line = Self.withoutComment(line).trimmed
      if line.isEmpty { continue }
      if isInList {
        isInList = !line.contains("]")
        continue
      }
      if line.hasPrefix("[") {
        try begin(line, number)
        continue
      }
      guard let sign = line.firstIndex(of: "=") else { throw .init(line: number, problem: "there is no \"=\"") }
      let (key, value) = (line[..<sign].trimmed, line[line.index(after: sign)...].trimmed)
      isInList = value.hasPrefix("[") && !value.contains("]")
      if !value.hasPrefix("[") { try set(key, value, number) }
    }
  }

  private mutating func begin(_ line: String, _ number: Int) throws(RegistriesConfiguration.SyntaxError) {
    switch line.filter({ !$0.isWhitespace }) {
    case "[[registry]]":
      (table, byDigestOnly) = (.registry, false)
      registries.append(.init(prefix: "", location: ""))
    case "[[registry.mirror]]":
      guard let last = registries.indices.last else { throw .init(line: number, problem: "a mirror of no registry") }
      table = .mirror
      registries[last].mirrors.append(.init(location: "", takesTags: !byDigestOnly))
    case "[registries.search]", "[registries.insecure]", "[registries.block]":
      throw .init(line: number, problem: "version 1 of the file is not read: write [[registry]]")
    default: table = .other
    }
  }

  private mutating func set(
    _ key: String, _ value: String, _ number: Int
  ) throws(RegistriesConfiguration.SyntaxError) {
    guard table == .registry || table == .mirror, let last = registries.indices.last else { return }
    func text() throws(RegistriesConfiguration.SyntaxError) -> String {
      guard let quote = value.first, "\"'".contains(quote), value.count >= 2, value.last == quote else {
        throw .init(line: number, problem: "\"\(key)\" is no text in quotes")
      }
      return String(value.dropFirst().dropLast())
    }
    func flag() throws(RegistriesConfiguration.SyntaxError) -> Bool {
      guard value == "true" || value == "false" else {
        throw .init(line: number, problem: "\"\(key)\" is neither true nor false")
      }
      return value == "true"
    }
    if table == .registry {
      switch key {
      case "prefix": registries[last].prefix = try text()
      case "location": registries[last].location = try text()
      case "insecure": registries[last].isInsecure = try flag()
      case "blocked": registries[last].isBlocked = try flag()
      case "mirror-by-digest-only": byDigestOnly = try flag()
      default: break
      }
      return
    }
    let mirror = registries[last].mirrors.count - 1
    switch key {
    case "location": registries[last].mirrors[mirror].location = try text()
    case "insecure": registries[last].mirrors[mirror].isInsecure = try flag()
    case "pull-from-mirror":
      let kind = try text()
      registries[last].mirrors[mirror].takesTags = kind != "digest-only"
      registries[last].mirrors[mirror].takesDigests = kind != "tag-only"
    default: break
    }
  }

  /// A `#` in quotes is none.
  private static func withoutComment(_ line: Substring) -> Substring {
    var quote: Character?
    for place in line.indices {
      let character = line[place]
      if let open = quote {
        if character == open { quote = nil }
      } else if "\"'".contains(character) {
        quote = character
      } else if character == "#" {
        return line[..<place]
      }
    }
    return line
  }
}
