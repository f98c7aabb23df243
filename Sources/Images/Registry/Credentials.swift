import FoundationEssentials
import Kernel

/// A user's name and password at a registry.
package struct Credentials: Hashable, Sendable {
  package var user: String
  package var password: String
  /// Stands for a password where the registry has given one (`identitytoken`).
  package var refreshToken: String?

  package init(user: String, password: String, refreshToken: String? = nil) {
    (self.user, self.password, self.refreshToken) = (user, password, refreshToken)
  }

  var basic: String { "Basic " + Data("\(user):\(password)".utf8).base64EncodedString() }
}

/// The files of Docker and of the containers tools in which people keep their credentials (containers-auth.json(5)).
package struct CredentialFiles: Sendable {
  private let environment: [String: String]
  private let read: @Sendable (String) -> [UInt8]?

  package static let hubKey = "https://index.docker.io/v1/"

  package init(
    environment: [String: String],
    read: @escaping @Sendable (String) -> [UInt8]? = { try? Files.read($0, limit: 1 << 20) }
  ) {
    (self.environment, self.read) = (environment, read)
  }

  /// In the order in which they are asked; the first that knows a registry decides.
  package var paths: [String] {
    func set(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = set("HOME") ?? "/root"
    return [
      set("REGISTRY_AUTH_FILE"),
      set("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" } ?? "/run/containers/0/auth.json",
      "\(set("XDG_CONFIG_HOME") ?? "\(home)/.config")/containers/auth.json",
      dockerFile,
    ].compactMap(\.self)
  }

  /// The one that `stack login` writes to.
  package var dockerFile: String {
    let folder = environment["DOCKER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    return "\(folder ?? "\(environment["HOME"] ?? "/root")/.docker")/config.json"
  }

  /// Credentials that are in no file.
  package init(_ credentials: Credentials, for domain: String) {
    let entry = ["username": credentials.user, "password": credentials.password]
    // Texts can always be encoded.
    let json = try? JSONEncoder().encode(["auths": [domain: entry]])
    self.init(environment: ["DOCKER_AUTH_CONFIG": String(decoding: json ?? Data(), as: UTF8.self)]) { _ in nil }
  }

  /// - Parameter repository: `host/a/b`; docker.io for Docker's own.
  /// - Throws: that a file is damaged, or leaves the matter to a program.
  package func credentials(for repository: String) throws(CredentialError) -> Credentials? {
    if let text = environment["DOCKER_AUTH_CONFIG"], !text.isEmpty,
      let found = try find(repository, in: Array(text.utf8), "DOCKER_AUTH_CONFIG")
    {
      return found
    }
    for path in paths {
      guard let bytes = read(path) else { continue }
      if let found = try find(repository, in: bytes, path) { return found }
    }
    return nil
  }

  private func find(_ repository: String, in bytes: [UInt8], _ path: String) throws(CredentialError) -> Credentials? {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(bytes))
    } catch {
      throw CredentialError(description: "\(path) is no JSON of credentials")
    }
    let host = repository.split(separator: "/").first.map(String.init) ?? repository
    let helper = file.credHelpers?[host] ?? file.credHelpers?[Self.key(host)]
    var entries: [String: File.Entry] = [:]
    for (key, entry) in file.auths ?? [:] where entries[Self.normalized(key)] == nil || key == Self.key(host) {
      entries[Self.normalized(key)] = entry
    }
    var place = Substring(repository)
    while true {
      if let entry = entries[String(place)], let found = try entry.credentials(place, path) { return found }
      guard let slash = place.lastIndex(of: "/") else { break }
      place = place[..<slash]
    }
    if let program = helper ?? file.credsStore, !program.isEmpty {
      throw CredentialError(
        description: "\(path) leaves the credentials of \(host) to docker-credential-\(program), which is not asked")
    }
    return nil
  }

  private static func key(_ host: String) -> String { host == "docker.io" ? hubKey : host }

  /// Without scheme and, for Docker's own registry, without path.
  private static func normalized(_ key: String) -> String {
    var rest = Substring(key)
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
      // An address names a server and not a part of what is on it.
      rest = rest.split(separator: "/").first ?? ""
    }
    let isHub = ["index.docker.io", "docker.io", "registry-1.docker.io"].contains(rest)
    return isHub ? "docker.io" : String(rest)
  }

  private struct File: Decodable {
    struct Entry: Decodable {
      var auth: String?
      var username: String?
      var password: String?
      var identitytoken: String?

      func credentials(_ place: Substring, _ path: String) throws(CredentialError) -> Credentials? {
        if let auth, !auth.isEmpty {
          guard let decoded = Data(base64Encoded: auth) else {
            throw CredentialError(description: "\(path) has no proper \"auth\" for \(place)")
          }
          let text = String(decoding: decoded, as: UTF8.self).trimmingSuffix(while: { $0 == "\0" })
          guard let colon = text.firstIndex(of: ":") else {
            throw CredentialError(description: "\(path) has no proper \"auth\" for \(place)")
          }
          return Credentials(
            user: String(text[..<colon]), password: String(text[text.index(after: colon)...]),
            refreshToken: identitytoken)
        }
        if let username { return Credentials(user: username, password: password ?? "", refreshToken: identitytoken) }
        return identitytoken.map { Credentials(user: "", password: "", refreshToken: $0) }
      }
    }

    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?
  }
}

package struct CredentialError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
    String(self[..<(lastIndex { !isDropped($0) }.map { index(after: $0) } ?? startIndex)])
  }
}
