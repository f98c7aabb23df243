import FoundationEssentials
import Glibc
import Kernel
import SystemPackage

/// A program that keeps credentials: docker-credential-NAME (github.com/docker/docker-credential-helpers).
///
/// It is the one program that this one starts, because a file of the user's names it.
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
    guard let path = find(program) else {
      throw CredentialError(description: "there is no program \(program) in PATH, and the credentials are left to it")
    }
    do throws(KernelError) {
      return try spawn([path, action], input)
    } catch {
      throw CredentialError(description: "cannot run \(path): \(error)")
    }
  }

  /// A name that is a path is none.
  private func find(_ program: String) -> String? {
    guard program.utf8.allSatisfy({ $0 != 0x2F && $0 > 0x20 }) else { return nil }
    let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    return folders.filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  private func spawn(_ command: [String], _ input: String) throws(KernelError) -> (isDone: Bool, output: [UInt8]) {
    let request = try Pipe()
    let answer = try Pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, request.output.rawValue, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, answer.input.rawValue, STDOUT_FILENO)
    // The signals that this program waits for are blocked in it, and the helper may be ended by them.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, command[0], &actions, &attributes, arguments, variables)
    guard code == 0 else { throw KernelError("execute", command[0], errno: Errno(rawValue: code)) }
    request.closeOutput()
    answer.closeInput()
    Self.write(input, to: request.input.rawValue)
    request.closeInput()
    let output = (try? answer.output.readAll(limit: Self.longest)) ?? []
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return (status == 0, output)
  }

  /// Less than a pipe holds, so nobody has to read it. A helper that reads nothing has closed its end at most.
  private static func write(_ input: String, to pipe: CInt) {
    let bytes = Array(input.utf8.prefix(1 << 15))
    var (blocked, former) = (sigset_t(), sigset_t())
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &blocked, &former)
    if Glibc.write(pipe, bytes, bytes.count) < 0, errno == EPIPE {
      var nothing = timespec()
      sigtimedwait(&blocked, nil, &nothing)
    }
    pthread_sigmask(SIG_SETMASK, &former, nil)
  }

  /// The two ends of a pipe, each closed once.
  private final class Pipe {
    /// The end that is written to.
    private(set) var input: FileDescriptor
    /// The end that is read from.
    private(set) var output: FileDescriptor
    private static let closed = FileDescriptor(rawValue: -1)

    init() throws(KernelError) {
      do {
        let ends = try FileDescriptor.pipe()
        (input, output) = (ends.writeEnd, ends.readEnd)
      } catch {
        throw KernelError("make", "a pipe", errno: error as? Errno ?? .last)
      }
      for end in [input, output] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
      closeInput()
      closeOutput()
    }

    func closeInput() {
      if input != Self.closed { try? input.close() }
      input = Self.closed
    }

    func closeOutput() {
      if output != Self.closed { try? output.close() }
      output = Self.closed
    }
  }
}
