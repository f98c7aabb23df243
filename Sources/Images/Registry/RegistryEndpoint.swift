import Glibc
import ImageReference
import Kernel

/// The way to a registry.
package struct RegistryEndpoint: Hashable, Sendable, Codable {
  /// `registry-1.docker.io`, `127.0.0.1:5000`
  package var host: String
  package var isPlain: Bool
  package var trust = ServerTrust()

  /// True if plain HTTP is tried where TLS is not answered.
  var fallsBack = false

  package init(host: String, isPlain: Bool) { (self.host, self.isPlain) = (host, isPlain) }

  /// Plain HTTP for the loopback, TLS for all others, with what /etc/containers/certs.d and /etc/docker/certs.d have for them.
  ///
  /// - Parameter isInsecure: whether any certificate is good enough, and plain HTTP where there is no TLS.
  /// - Throws: that one of these files cannot be read.
  package init(
    _ reference: ImageReference, isInsecure: Bool = false,
    folders: [String] = ["/etc/containers/certs.d", "/etc/docker/certs.d"]
  ) throws(RegistryError) {
    self.init(host: reference.host, isPlain: Self.isLoopback(reference.domain))
    trust.acceptsAny = isInsecure
    fallsBack = isInsecure && !isPlain
    for folder in folders.map({ "\($0)/\(reference.domain)" }) {
      for name in Files.list(folder) {
        let path = "\(folder)/\(name)"
        if name.hasSuffix(".crt") {
          trust.authority += try Self.contents(of: path) + [0x0A]
          // Certificates for it mean TLS.
          isPlain = false
        } else if name.hasSuffix(".cert") {
          trust.certificate = try Self.contents(of: path)
          trust.key = try Self.contents(of: "\(path.dropLast(5)).key")
        }
      }
      if !trust.authority.isEmpty || !trust.certificate.isEmpty { return }
    }
  }

  private static func contents(of path: String) throws(RegistryError) -> [UInt8] {
    do throws(KernelError) {
      if let bytes = try Files.read(path, limit: 1 << 20) { return bytes }
    } catch {
      throw RegistryError(.untrusted, "\(error)")
    }
    throw RegistryError(.untrusted, "there is no \(path)", remedy: "put the key of the certificate there")
  }

  func url(isPlain: Bool) -> String { "\(isPlain ? "http" : "https")://\(host)" }

  /// True if a host, with or without a port, is this machine: 127.0.0.0/8, ::1 and localhost.
  static func isLoopback(_ domain: String) -> Bool {
    if domain.hasPrefix("[") { return domain.hasPrefix("[::1]") }
    let host = String(domain.split(separator: ":").first ?? "")
    if host == "localhost" { return true }
    var address = in_addr()
    return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
  }

  /// True if a host is an address of a private network, by its digits: no token is fetched from one on a registry's word.
  static func isPrivateAddress(_ host: Substring) -> Bool {
    var (four, six) = (in_addr(), in6_addr())
    if inet_pton(AF_INET, String(host), &four) == 1 {
      let address = UInt32(bigEndian: four.s_addr)
      let ranges: [(UInt32, UInt32)] = [
        (0x0A00_0000, 0xFF00_0000), (0x7F00_0000, 0xFF00_0000), (0xAC10_0000, 0xFFF0_0000),
        (0xC0A8_0000, 0xFFFF_0000), (0xA9FE_0000, 0xFFFF_0000), (0, 0xFF00_0000),
      ]
      return ranges.contains { address & $0.1 == $0.0 }
    }
    guard inet_pton(AF_INET6, String(host), &six) == 1 else { return false }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    return bytes.dropLast().allSatisfy { $0 == 0 } || bytes[0] & 0xFE == 0xFC
      || bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 || bytes.prefix(10).allSatisfy { $0 == 0 }
  }
}

/// The parts of an address that decide who gets to see credentials.
struct WebOrigin: Hashable {
  var scheme: String
  /// Without brackets.
  var host: String
  var port: Int

  /// The host, with its port where that is not the scheme's own.
  var address: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (scheme == "http" ? 80 : 443) ? name : "\(name):\(port)"
  }

  init?(_ url: String) {
    guard let end = url.firstRange(of: "://") else { return nil }
    scheme = url[..<end.lowerBound].lowercased()
    guard ["http", "https"].contains(scheme) else { return nil }
    var authority = url[end.upperBound...].prefix { !"/?#".contains($0) }
    if let sign = authority.lastIndex(of: "@") { authority = authority[authority.index(after: sign)...] }
    guard !authority.isEmpty else { return nil }
    var portText: Substring?
    if authority.hasPrefix("["), let bracket = authority.firstIndex(of: "]") {
      host = authority[authority.index(after: authority.startIndex)..<bracket].lowercased()
      let rest = authority[authority.index(after: bracket)...]
      if rest.hasPrefix(":") { portText = rest.dropFirst() }
    } else if let colon = authority.lastIndex(of: ":") {
      host = authority[..<colon].lowercased()
      portText = authority[authority.index(after: colon)...]
    } else {
      host = authority.lowercased()
    }
    guard let portText, !portText.isEmpty else {
      port = scheme == "http" ? 80 : 443
      return
    }
    guard let number = UInt16(portText) else { return nil }
    port = Int(number)
  }

  /// The target of a redirection, which may be relative.
  static func resolve(_ location: String, from url: String) -> String? {
    if location.contains("://") { return WebOrigin(location) == nil ? nil : location }
    guard let end = url.firstRange(of: "://") else { return nil }
    if location.hasPrefix("//") { return "\(url[..<end.lowerBound]):\(location)" }
    let rest = url[end.upperBound...]
    let base = url[..<(rest.firstIndex { "/?#".contains($0) } ?? url.endIndex)]
    if location.hasPrefix("/") { return base + location }
    let path = url.prefix { $0 != "?" && $0 != "#" }
    guard let slash = path.lastIndex(of: "/"), slash >= base.endIndex else { return "\(base)/\(location)" }
    return "\(path[...slash])\(location)"
  }
}
