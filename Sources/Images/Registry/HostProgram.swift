import Glibc
import Kernel
import SystemPackage

/// A program of the host, run for its answer on standard output.
package struct HostProgram {
  /// Its path and its arguments.
  package var command: [String]
  package var environment: [String: String]
  /// Where its standard error goes; nil for the caller's.
  package var errors: FileDescriptor?

  package init(command: [String], environment: [String: String], errors: FileDescriptor? = nil) {
    (self.command, self.environment, self.errors) = (command, environment, errors)
  }

  /// The path of a program in PATH; nil when there is none. A name that is a path is none.
  package static func find(_ program: String, _ environment: [String: String]) -> String? {
    guard program.utf8.allSatisfy({ $0 != 0x2F && $0 > 0x20 }) else { return nil }
    let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    return folders.filter { $0.hasPrefix("/") }.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  /// Runs it to its end.
  ///
  /// - Parameters:
  ///   - input: its standard input, 32 KiB at most.
  ///   - take: gets its output piece by piece, and answers whether to go on. If not, the program's next write fails.
  /// - Returns: whether it ended with status 0.
  package func run(input: String, take: (UnsafeRawBufferPointer) -> Bool) throws(KernelError) -> Bool {
    let request = try Pipe()
    let answer = try Pipe()
    let pid = try spawn(input: request.output, output: answer.input)
    request.closeOutput()
    answer.closeInput()
    Self.write(input, to: request.input.rawValue)
    request.closeInput()
    let failure = Self.read(answer.output, take)
    answer.closeOutput()
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    if let failure { throw KernelError("read the output of", command[0], errno: failure) }
    return status == 0
  }

  private func spawn(input: FileDescriptor, output: FileDescriptor) throws(KernelError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input.rawValue, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
    if let errors { posix_spawn_file_actions_adddup2(&actions, errors.rawValue, STDERR_FILENO) }
    // The signals that this program waits for are blocked in it, and the child may be ended by them.
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
    return pid
  }

  private static func read(_ pipe: FileDescriptor, _ take: (UnsafeRawBufferPointer) -> Bool) -> Errno? {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer -> Errno? in
      while true {
        let count = Glibc.read(pipe.rawValue, buffer.baseAddress, buffer.count)
        if count < 0, Errno.last == .interrupted { continue }
        if count < 0 { return .last }
        guard count > 0, take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return nil }
      }
    }
  }

  /// Less than a pipe holds, so nobody has to read it. A program that reads nothing has closed its end at most.
  private static func write(_ input: String, to pipe: CInt) {
    let bytes = Array(input.utf8.prefix(1 << 15))
    guard !bytes.isEmpty else { return }
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
