import CNetfilter
import Foundation
import Glibc
import SystemPackage
@testable import Kernel

/// A network namespace that is gone when its last descriptor is: nothing in it is seen by the host.
struct ThrowawayNamespace: ~Copyable {
  let descriptor: Descriptor

  init() throws {
    var opened: CInt = -1
    let failure = withUnsafeMutablePointer(to: &opened) { pointer in
      var thread = pthread_t()
      let failure = pthread_create(
        &thread, nil,
        { context in
          // Only this thread leaves, and it ends here.
          guard unshare(CLONE_NEWNET) == 0 else { return nil }
          context?.assumingMemoryBound(to: CInt.self).pointee = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
          return nil
        }, pointer)
      return failure == 0 ? pthread_join(thread, nil) : failure
    }
    guard failure == 0, opened >= 0 else { throw Errno(rawValue: Glibc.errno) }
    descriptor = Descriptor(adopting: opened)
  }

  /// The path of the namespace for other programs.
  var path: String { "/proc/\(getpid())/fd/\(descriptor.rawValue)" }

  /// Runs a command line in it and returns its standard output.
  @discardableResult
  func run(_ command: String, input: String? = nil) throws -> String {
    try execute("/usr/bin/nsenter", ["--net=\(path)", "--", "/bin/sh", "-c", command], input: input)
  }

  /// Calls the closure on a thread that has entered it, and waits.
  func within(_ body: @escaping @Sendable () -> Void) {
    let namespace = descriptor.rawValue
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      if setns(namespace, CLONE_NEWNET) == 0 { body() }
      done.signal()
    }
    done.wait()
  }

  /// Runs a command that prints JSON, and returns its output parsed.
  func json(_ command: String) throws -> [[String: Any]] {
    let text = try run(command)
    return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
  }
}

struct CommandFailure: Error, CustomStringConvertible {
  let command: String
  let status: Int32
  let output: String
  var description: String { "\(command): exit status \(status)\n\(output)" }
}

/// Runs a program; what it prints on standard error stands among its output.
func execute(_ program: String, _ arguments: [String], input: String? = nil) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  let output = FileManager.default.temporaryDirectory.appendingPathComponent("netlink-\(UUID().uuidString)")
  let given = output.appendingPathExtension("in")
  defer {
    try? FileManager.default.removeItem(at: output)
    try? FileManager.default.removeItem(at: given)
  }
  try Data().write(to: output)
  try Data((input ?? "").utf8).write(to: given)
  let writing = try FileHandle(forWritingTo: output)
  process.standardInput = try FileHandle(forReadingFrom: given)
  process.standardOutput = writing
  process.standardError = writing
  try process.run()
  process.waitUntilExit()
  let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
  guard process.terminationStatus == 0 else {
    throw CommandFailure(
      command: ([program] + arguments).joined(separator: " "), status: process.terminationStatus, output: text)
  }
  return text
}
