import Foundation
import Glibc
import Testing

/// A Linux host that lives as long as one test, made by `tools/throwaway-host`: own links, nftables, mounts, processes, cgroups,
/// /run and /var/lib, and an uplink to an outside machine. Nothing a test does in it reaches the real host.
///
/// Calls block. Swift Testing runs as many blocking tests at once as there are cores, which is as many hosts as measure well.
final class ThrowawayHost {
  /// The host's own address on the uplink.
  static let address = "198.51.100.2"
  /// The outside machine's addresses: on the uplink, and one that stands for the internet.
  static let outsideAddress = "198.51.100.1"
  static let internetAddress = "203.0.113.7"
  /// The working directory of commands, and the base of relative paths for `write`. Its tmpfs ends with the host.
  static let workFolder = "/run/throwaway/work"

  private let holder: pid_t
  private let lifeline: Int32
  private let firstProcess: pid_t

  /// Makes a host, passes it to `body`, takes it down again and checks that nothing of it is left on the real one.
  static func with<Result>(_ body: (ThrowawayHost) throws -> Result) throws -> Result {
    let host = try ThrowawayHost()
    let result = Swift.Result { try body(host) }
    try host.tearDown()
    return try result.get()
  }

  private init() throws {
    guard geteuid() == 0 else { throw HarnessError("end-to-end tests make namespaces: run them as root (tools/test)") }
    for name in ["stack", "stack-init"] where access("\(Repository.binaryFolder)/\(name)", X_OK) != 0 {
      throw HarnessError("no \(name) in \(Repository.binaryFolder): run tools/build, or set STACK_BINARY_DIR")
    }
    // One socket is both the host's input and its output: closing it is what ends the host.
    var ends: [Int32] = [0, 0]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw HarnessError("socketpair: \(String(cString: strerror(errno)))")
    }
    lifeline = ends[0]
    defer { close(ends[1]) }
    holder = try Subprocess.spawn(
      ["\(Repository.root)/tools/throwaway-host", "--hold"], environment: Self.environment(),
      descriptors: [ends[1], ends[1], STDERR_FILENO])
    close(ends[1])
    ends[1] = -1
    var line = [UInt8](repeating: 0, count: 32)
    let count = read(lifeline, &line, line.count)
    let text = String(decoding: line[..<max(0, count)], as: UTF8.self)
    guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      close(lifeline)
      waitpid(holder, nil, 0)
      throw HarnessError("tools/throwaway-host did not start")
    }
    firstProcess = pid
  }

  /// The end of its input ends the host's first process, and with that every process in it.
  private func tearDown() throws {
    close(lifeline)
    var status: Int32 = 0
    for _ in 0..<30_000 {
      guard waitpid(holder, &status, WNOHANG) == 0 else { break }
      usleep(1_000)
    }
    guard status == 0 else { throw HarnessError("tools/throwaway-host ended with wait status \(status)") }
    // On a busy machine its parent learns of its end a moment later.
    guard eventually({ kill(firstProcess, 0) != 0 }) else {
      throw HarnessError("process \(firstProcess) outlived its host")
    }
    // At the top of each hierarchy, by name: a walk would meet what other tests are making and removing meanwhile.
    let top = "/sys/fs/cgroup"
    let left = try ([""] + FileManager.default.contentsOfDirectory(atPath: top).map { "/\($0)" })
      .map { "\(top)\($0)/throwaway-\(holder)" }.filter { FileManager.default.fileExists(atPath: $0) }
    guard left.isEmpty else { throw HarnessError("left behind: \(left)") }
  }

  private static func environment(_ extra: [String: String] = [:]) -> [String] {
    let fixed = [
      "PATH": "\(Repository.binaryFolder):/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin", "HOME": "/root",
      "LANG": "C.UTF-8", "TERM": "dumb",
    ]
    return fixed.merging(extra) { $1 }.map { "\($0)=\($1)" }
  }

  // MARK: Commands

  /// Starts a command on the host, as a user logged in there would.
  func start(
    _ command: [String], input: Data = Data(), environment: [String: String] = [:], from: Machine = .host
  ) throws -> Subprocess {
    var enter = ["nsenter", "-t", "\(firstProcess)", "-m", "-u", "-i", "-n", "-p", "-C"]
    enter += ["/run/throwaway/enter", "env", "-C", Self.workFolder]
    if from == .outside { enter += ["nsenter", "--net=/run/throwaway/outside"] }
    return try Subprocess(enter + command, environment: Self.environment(environment), input: input)
  }

  /// Runs a command to its end. Its failing is an outcome like any other.
  @discardableResult
  func run(
    _ command: String..., input: Data = Data(), environment: [String: String] = [:], from: Machine = .host,
    limit: Duration = .seconds(60)
  ) throws -> Outcome {
    try start(command, input: input, environment: environment, from: from).wait(limit: limit)
  }

  /// Runs a command that the test needs to succeed: throws what it said if it does not.
  @discardableResult
  func succeed(
    _ command: String..., input: Data = Data(), environment: [String: String] = [:], from: Machine = .host,
    limit: Duration = .seconds(60)
  ) throws -> String {
    let outcome = try start(command, input: input, environment: environment, from: from).wait(limit: limit)
    guard outcome.status == 0 else { throw HarnessError(outcome.description) }
    return outcome.output
  }

  /// The process of a started command itself, below the `nsenter` that it runs under; nil before it has started and after its end.
  func process(of command: Subprocess) throws -> pid_t? {
    let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
    // proc_pid_stat(5): the parent is the second field after the command's closing parenthesis.
    return processes.first { pid in
      let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
      let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 && fields[1] == "\(command.pid)"
    }
  }

  /// Sends a signal to a started command itself.
  func signal(_ number: Int32, to command: Subprocess) throws {
    guard let child = try process(of: command) else {
      throw HarnessError("the command has not started, or has ended already")
    }
    guard kill(child, number) == 0 else { throw HarnessError("kill: \(String(cString: strerror(errno)))") }
  }

  /// Tries until `condition` holds, for things that take a moment. False when it never did.
  func eventually(within limit: Duration = .seconds(30), _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      if try condition() { return true }
      usleep(20_000)
    }
    return try condition()
  }

  /// Records an issue for whatever the host has, or lacks, that it did not when `state` was taken. A supervisor ends a moment
  /// after its last answer, and on a busy machine that takes a while: what was left behind stays.
  func expectUnchanged(since state: HostState, sourceLocation: SourceLocation = #_sourceLocation) throws {
    var differences: [String] = []
    _ = try eventually {
      differences = try HostState(of: self).differences(since: state)
      return differences.isEmpty
    }
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))", sourceLocation: sourceLocation)
  }

  // MARK: Files

  /// Writes a file on the host, making its folders, and gives its path there.
  @discardableResult
  func write(_ text: String, to path: String) throws -> String {
    let inside = path.hasPrefix("/") ? path : "\(Self.workFolder)/\(path)"
    let url = URL(fileURLWithPath: "/proc/\(firstProcess)/root\(inside)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return inside
  }
}

/// The machine that a command runs on: the throwaway host, or the machine at the other end of its uplink.
enum Machine {
  case host, outside
}

/// Paths in the repository.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// The folder of the binaries under test: STACK_BINARY_DIR, or where tools/build leaves them.
  static let binaryFolder = ProcessInfo.processInfo.environment["STACK_BINARY_DIR"] ?? "\(root)/.build/install"

  static func stackFile(_ name: String) -> String { "\(root)/stacks/\(name)" }
}
