import Glibc
import SystemPackage
import TestSupport
@testable import Intent
@testable import Kernel

/// Files of a test, and the state of stacks in its folder.
extension TemporaryFolder {
  var folders: StateFolders {
    StateFolders(run: "\(path)/run", lib: "\(path)/lib", namespaces: "\(path)/netns")
  }

  func write(_ name: String, _ text: String) throws {
    try Files.overwrite("\(path)/\(name)", with: Array(text.utf8), mode: [.ownerReadWrite])
  }

  func text(_ name: String) -> String? {
    guard let bytes = try? Files.read("\(path)/\(name)") else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func mode(_ name: String) -> mode_t? {
    var status = stat()
    return lstat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : nil
  }
}

/// Runs a line of shell: what it wrote and how it ended (wait(2)).
func shell(_ line: String) -> (output: String, status: Int32) {
  guard let stream = popen("{ \(line); } 2>&1", "re") else { return ("popen failed", -1) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { bytes += buffer[..<count] }
  return (String(decoding: bytes, as: UTF8.self), pclose(stream))
}

/// Runs `body` on a thread with namespaces of its own, its mounts private; nil when that could not be had.
///
/// - Parameter flags: CLONE_NEWNS and others; unshare(2) is what Swift's Glibc module leaves out.
func inOwnNamespaces<Result: Sendable>(
  _ flags: CInt = 0x0002_0000, _ body: @escaping @Sendable () -> Result
) -> Result? {
  onOwnThread { () -> Result? in
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "unshare") else { return nil }
    let unshare = unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)
    guard unshare(flags) == 0, mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0 else { return nil }
    return body()
  } ?? nil
}
