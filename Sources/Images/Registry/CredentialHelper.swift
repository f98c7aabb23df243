import FoundationEssentials
import Kernel

/// A program that keeps credentials: docker-credential-NAME (github.com/docker/docker-credential-helpers).
///
/// It is started because a file of the user's names it.
package struct CredentialHelper: Sendable {
  private let environment: [String: String]

  package init(environment: [String: String]) { self.environment = environment }

  private struct Entry: Codable {
    var server: String?
    var user: String
    var secret: String

    enum CodingKeys: String, CodingKey {
      case server = "ServerURL"
      case user = "Username"
      case secret = "Secret"
    }
  }

  /// The name of a user whose secret is a refresh token.
  private static let tokenUser = "<token>"
  private static let notFound = "credentials not found"

  /// - Returns: nil when it has none for the server.
  package func credentials(for server: String, by name: String) throws(CredentialError) -> Credentials? {
    let (isDone, output) = try run(name, "get", server)
    guard isDone else {
      // Failures are told on standard output.
      let words = VisibleText.line(String(decoding: output.prefix(300), as: UTF8.self).trimmed)
      if words.contains(Self.notFound) { return nil }
      throw CredentialError(description: "docker-credential-\(name) has no credentials of \(server) to give: \(words)")
    }
    guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(output)) else {
      throw CredentialError(description: "docker-credential-\(name) answers what cannot be read")
    }
    guard !entry.user.isEmpty || !entry.secret.isEmpty else { return nil }
    return entry.user == Self.tokenUser
      ? Credentials(user: "", password: "", refreshToken: entry.secret)
      : Credentials(user: entry.user, password: entry.secret)
  }

  package func store(_ credentials: Credentials, for server: String, by name: String) throws(CredentialError) {
    let token = credentials.refreshToken
    let entry = Entry(
      server: server, user: token == nil ? credentials.user : Self.tokenUser, secret: token ?? credentials.password)
    guard let text = try? JSONEncoder().encode(entry) else { return }
    try expect(name, "store", String(decoding: text, as: UTF8.self))
  }

  /// Answers whether there were some.
  package func erase(_ server: String, by name: String) throws(CredentialError) -> Bool {
    guard try credentials(for: server, by: name) != nil else { return false }
    try expect(name, "erase", server)
    return true
  }

  private func expect(_ name: String, _ action: String, _ input: String) throws(CredentialError) {
    let (isDone, output) = try run(name, action, input)
    guard isDone else {
      let words = VisibleText.line(String(decoding: output.prefix(300), as: UTF8.self).trimmed)
      throw CredentialError(description: "docker-credential-\(name) cannot \(action): \(words)")
    }
  }

  // MARK: The program

  private static let longest = 1 << 20

  private func run(
    _ name: String, _ action: String, _ input: String
  ) throws(CredentialError) -> (isDone: Bool, output: [UInt8]) {
    let program = "docker-credential-\(name)"
    guard let path = HostProgram.find(program, environment) else {
      throw CredentialError(description: "there is no program \(program) in PATH, and the credentials are left to it")
    }
    do throws(KernelError) {
      var output: [UInt8] = []
      let helper = HostProgram(command: [path, action], environment: environment)
      let isDone = try helper.run(input: input) { bytes in
        output += bytes.prefix(Self.longest - output.count)
        return output.count < Self.longest
      }
      return (isDone, output)
    } catch {
      throw CredentialError(description: "cannot run \(path): \(error)")
    }
  }
}
