import FoundationEssentials
import Kernel

/// A user's name and password at a registry.
package struct Credentials: Hashable, Sendable, Codable {
  package var user: String
  package var password: String
  /// Stands for a password where the registry has given one (`identitytoken`).
  package var refreshToken: String?

  package init(user: String, password: String, refreshToken: String? = nil) {
    (self.user, self.password, self.refreshToken) = (user, password, refreshToken)
  }

  var basic: String { "Basic " + Data("\(user):\(password)".utf8).base64EncodedString() }
}

/// The outcome of the search for a registry's credentials.
package struct RegistryLogin: Hashable, Sendable, Codable {
  package var credentials: Credentials?
  /// The reason that there is none, where that is nothing to pass over. It counts once the registry asks.
  package var failure: String?
  /// The places where they were looked for.
  package var places: [String]

  package init(credentials: Credentials?, places: [String] = []) {
    (self.credentials, self.places) = (credentials, places)
  }

  /// - Parameter repository: as ``CredentialFiles/credentials(for:)`` takes it.
  package init(_ files: CredentialFiles, for repository: String) {
    places = files.paths
    do {
      credentials = try files.credentials(for: repository)
    } catch {
      failure = error.description
    }
  }
}

/// The files of Docker and of the containers tools in which people keep their credentials (containers-auth.json(5)).
package struct CredentialFiles: Sendable {
  private let environment: [String: String]
  private let read: @Sendable (String) -> [UInt8]?
  private let helper: CredentialHelper

  package static let hubKey = "https://index.docker.io/v1/"

  package init(
    environment: [String: String],
    read: @escaping @Sendable (String) -> [UInt8]? = { try? Files.read($0, limit: 1 << 20) }
  ) {
    (self.environment, self.read) = (environment, read)
    helper = CredentialHelper(environment: environment)
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

  /// - Parameter repository: `host/a/b`; docker.io for Docker's own.
  /// - Throws: that a file is damaged, or a program that it leaves the matter to.
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
    // A helper that is broken ends the search: others could have another server's credentials (CVE-2021-41092).
    if let program = file.helper(of: host), let found = try helper.credentials(for: Self.key(host), by: program) {
      return found
    }
    var entries: [String: File.Entry] = [:]
    for (key, entry) in file.auths ?? [:] where entries[Self.normalized(key)] == nil || key == Self.key(host) {
      entries[Self.normalized(key)] = entry
    }
    var place = Substring(repository)
    while true {
      if let entry = entries[String(place)], let found = try entry.credentials(place, path) { return found }
      guard let slash = place.lastIndex(of: "/") else { return nil }
      place = place[..<slash]
    }
  }

  /// The program that keeps the credentials of a server for the user; nil where the file itself does.
  func helper(of host: String) throws(CredentialError) -> String? {
    guard let bytes = read(dockerFile), !bytes.isEmpty else { return nil }
    guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)) else {
      throw CredentialError(description: "\(dockerFile) is no JSON of credentials")
    }
    return file.helper(of: host)
  }

  static func key(_ host: String) -> String { host == "docker.io" ? hubKey : host }

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

    func helper(of host: String) -> String? {
      let program = credHelpers?[host] ?? credHelpers?[CredentialFiles.key(host)] ?? credsStore
      return program.flatMap { $0.isEmpty ? nil : $0 }
    }
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
