import Foundation
import Glibc

/// A program started by a test, its input given in full and its output collected in memory.
///
/// Output goes to an unnamed file in memory and not to a pipe: a background process that keeps it open cannot hold the test up,
/// and what was written so far can be read while the program runs.
final class Subprocess {
  let pid: pid_t
  private let arguments: [String]
  private let standardOutput: Int32
  private let standardError: Int32
  private let began = ContinuousClock.now
  private var ended: (status: Int32, after: Duration)?

  /// Starts `arguments`, found in PATH, with exactly `environment` (`NAME=value`).
  init(_ arguments: [String], environment: [String], input: Data = Data()) throws {
    self.arguments = arguments
    let standardInput = try Self.memory()
    defer { close(standardInput) }
    try Self.write(input, to: standardInput)
    standardOutput = try Self.memory()
    standardError = try Self.memory()
    pid = try Self.spawn(
      arguments, environment: environment, descriptors: [standardInput, standardOutput, standardError])
  }

  deinit {
    if ended == nil {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    close(standardOutput)
    close(standardError)
  }

  /// The standard output of the program so far.
  var output: String { String(decoding: Self.contents(of: standardOutput), as: UTF8.self) }

  /// Waits for the end, at most for `limit`. Safe to call again afterwards.
  func wait(limit: Duration) throws -> Outcome {
    while ended == nil {
      var status: Int32 = 0
      if waitpid(pid, &status, WNOHANG) == pid {
        // The macros of <sys/wait.h>, which Swift does not import.
        let signal = status & 0x7f
        ended = (signal == 0 ? (status >> 8) & 0xff : 128 + signal, began.duration(to: .now))
      } else if began.duration(to: .now) > limit {
        throw HarnessError("still running after \(limit): \(arguments.joined(separator: " "))\n\(output)")
      } else {
        usleep(500)
      }
    }
    return Outcome(
      command: arguments,
      status: ended?.status ?? -1,
      outputBytes: Self.contents(of: standardOutput),
      errors: String(decoding: Self.contents(of: standardError), as: UTF8.self),
      duration: ended?.after ?? .zero)
  }

  /// posix_spawn with the given descriptors as 0, 1 and 2; every other one of ours is close-on-exec.
  static func spawn(_ arguments: [String], environment: [String], descriptors: [Int32]) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, descriptor) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
    }
    // Dispatch's threads block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let argv = arguments.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for string in argv + envp { free(string) } }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
    guard error == 0 else { throw HarnessError("cannot run \(arguments[0]): \(String(cString: strerror(error)))") }
    return pid
  }

  /// An unnamed file in memory, close-on-exec.
  private static func memory() throws -> Int32 {
    let path = "/dev/shm/stack-test-\(UUID().uuidString)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HarnessError("\(path): \(String(cString: strerror(errno)))") }
    unlink(path)
    return descriptor
  }

  private static func write(_ data: Data, to descriptor: Int32) throws {
    let written = data.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == data.count else { throw HarnessError("cannot hold \(data.count) bytes of input in memory") }
  }

  private static func contents(of descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}

/// The exit status and the output of a program.
struct Outcome: CustomStringConvertible {
  let command: [String]
  /// The exit status, or 128 + n for signal n.
  let status: Int32
  let outputBytes: [UInt8]
  let errors: String
  let duration: Duration

  /// Standard output without the white space around it.
  var output: String {
    String(decoding: outputBytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  var description: String {
    """
    \(command.joined(separator: " "))
    exit \(status) after \(duration)
    stdout: \(output.prefix(4_000))
    stderr: \(errors.prefix(4_000))
    """
  }
}

/// The harness itself could not do its part: no root, no binary, a host that would not start.
struct HarnessError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
