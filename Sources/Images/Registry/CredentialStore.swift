import FoundationEssentials
import Glibc
import Kernel

/// Credentials in the file that Docker and this program read, beside what else is in it.
package struct CredentialStore: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  package init(_ files: CredentialFiles) { self.init(path: files.dockerFile) }

  /// - Parameter domain: `docker.io`, `registry.example:5000`.
  package func add(_ credentials: Credentials, for domain: String) throws(CredentialError) {
    try change { auths in
      let text = Data("\(credentials.user):\(credentials.password)".utf8).base64EncodedString()
      auths[Self.key(domain)] = .object(["auth": .text(text)])
    }
  }

  /// Answers whether there were some.
  package func remove(_ domain: String) throws(CredentialError) -> Bool {
    var wasThere = false
    try change { auths in
      for key in [Self.key(domain), domain, "https://\(domain)"] where auths.removeValue(forKey: key) != nil {
        wasThere = true
      }
    }
    return wasThere
  }

  private static func key(_ domain: String) -> String { domain == "docker.io" ? CredentialFiles.hubKey : domain }

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

/// Any JSON, to be written again as it was.
enum JSONValue: Codable, Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
