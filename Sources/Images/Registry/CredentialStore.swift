import FoundationEssentials
import Glibc
import ImageFormat
import Kernel

/// The place of a login: in Docker's file, beside what else is in it, or by the program that the file names.
package struct CredentialStore: Sendable {
  private let path: String
  private let files: CredentialFiles
  private let helper: CredentialHelper

  package init(environment: [String: String]) {
    files = CredentialFiles(environment: environment)
    helper = CredentialHelper(environment: environment)
    path = files.dockerFile
  }

  /// - Parameter domain: `docker.io`, `registry.example:5000`.
  /// - Returns: where they are now.
  package func add(_ credentials: Credentials, for domain: String) throws(CredentialError) -> String {
    let key = CredentialFiles.key(domain)
    if let program = try files.helper(of: domain) {
      try helper.store(credentials, for: key, by: program)
      // As Docker: an empty entry says that a helper has them.
      try change { $0[key] = .object([:]) }
      return "docker-credential-\(program)"
    }
    // If a token stands for the password, the password is not kept.
    let secret = credentials.refreshToken == nil ? credentials.password : ""
    var entry = ["auth": JSONValue.text(Data("\(credentials.user):\(secret)".utf8).base64EncodedString())]
    if let token = credentials.refreshToken { entry["identitytoken"] = .text(token) }
    try change { $0[key] = .object(entry) }
    return path
  }

  /// Answers whether there were some.
  package func remove(_ domain: String) throws(CredentialError) -> Bool {
    let key = CredentialFiles.key(domain)
    var wasThere = false
    if let program = try files.helper(of: domain) { wasThere = try helper.erase(key, by: program) }
    guard Files.exists(path) else { return wasThere }
    try change { auths in
      for key in [key, domain, "https://\(domain)"] where auths.removeValue(forKey: key) != nil { wasThere = true }
    }
    return wasThere
  }

  private func change(_ body: (inout [String: JSONValue]) -> Void) throws(CredentialError) {
    do {
      var file: [String: JSONValue] = [:]
      if let bytes = try Files.read(path, limit: 1 << 20), !bytes.isEmpty {
        guard let read = try? JSONDecoder().decode([String: JSONValue].self, from: Data(bytes)) else {
          throw CredentialError(description: "\(path) is no JSON of credentials")
        }
        file = read
      }
      var auths: [String: JSONValue] = [:]
      if case .object(let there)? = file["auths"] { auths = there }
      body(&auths)
      file["auths"] = .object(auths)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      guard let data = try? encoder.encode(file) else {
        throw CredentialError(description: "\(path) cannot be written")
      }
      if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash])) }
      try Files.replace(path, with: Array(data) + [0x0A])
    } catch let error as CredentialError {
      throw error
    } catch {
      throw CredentialError(description: "\(error)")
    }
  }
}
