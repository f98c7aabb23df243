import Glibc
import Kernel
import SystemPackage

/// A folder for one test, gone with it.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init(in parent: String = "/tmp") throws {
    // mkdtemp(3) puts a name of its own in place of the last six letters.
    var template = Array("\(parent)/stack-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { try? Files.remove(path) }
}
