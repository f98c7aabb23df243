import Glibc
import SystemPackage
import TestSupport
import Testing
@testable import Runtime

/// A root folder with busybox in it, on a tmpfs of its own inside a throwaway folder, gone with the object.
final class BusyboxRoot: Sendable {
  private let temporary: TemporaryFolder

  var folder: String { temporary.path }
  var lower: String { "\(folder)/lower" }
  var upper: String { "\(folder)/upper" }
  var work: String { "\(folder)/work" }

  init() throws {
    temporary = try TemporaryFolder()
    for name in [
      "lower", "upper", "work", "lower/bin", "lower/etc", "lower/root", "lower/proc", "lower/sys", "lower/dev",
    ] {
      try #require(mkdir("\(folder)/\(name)", 0o755) == 0)
    }
    try #require(Shell.run("cp /usr/bin/busybox \(folder)/lower/bin/busybox").status == 0)
    for name in [
      "sh", "cat", "hostname", "ls", "ps", "mount", "umount", "id", "ip", "echo", "true", "false", "sleep", "kill",
      "readlink", "pwd", "touch", "mkdir", "stat", "tty", "test", "env", "grep", "wc", "stty", "head", "tr", "chmod",
      "ln",
    ] {
      try #require(symlink("busybox", "\(folder)/lower/bin/\(name)") == 0)
    }
    try write("root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/srv/web:/bin/sh\n", to: "lower/etc/passwd")
    try write("root:x:0:\nweb:x:44:\nextra:x:45:web\nmore:x:46:root,web\n", to: "lower/etc/group")
  }

  func write(_ text: String, to name: String) throws {
    let file = try FileDescriptor.open(
      FilePath("\(folder)/\(name)"), .writeOnly, options: [.create, .truncate],
      permissions: FilePermissions(rawValue: 0o644))
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
  }

  func read(_ name: String) throws -> String {
    try String(decoding: Shell.contents("\(folder)/\(name)"), as: UTF8.self)
  }

  var overlay: ContainerRoot { .overlay(lower: [lower], upper: upper, work: work) }
}

/// Other people's tools, run from tests only.
enum Shell {
  struct Result: Sendable {
    var status: Int32
    var output: String
  }

  static func run(_ command: String) -> Result {
    guard let pipe = popen("exec 2>&1; \(command)", "re") else { return Result(status: -1, output: "") }
    var bytes: [UInt8] = []
    while case let byte = fgetc(pipe), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    let status = pclose(pipe)
    return Result(status: (status >> 8) & 0xff, output: String(decoding: bytes, as: UTF8.self))
  }

  static func contents(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor.open(FilePath(path), .readOnly)
    return try file.closeAfter {
      var all: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 65536)
      while case let count = try chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
        all += chunk[..<count]
      }
      return all
    }
  }
}

/// Builds stack-init once for all tests, as tools/build does.
enum InitProgram {
  static let path: String? = {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let output = "/tmp/stack-init-test.\(getpid())"
    let result = Shell.run("/\(root)/tools/build-init \(output)")
    atexit { unlink("/tmp/stack-init-test.\(getpid())") }
    return result.status == 0 ? output : nil
  }()
}

func isRoot() -> Bool { geteuid() == 0 }
