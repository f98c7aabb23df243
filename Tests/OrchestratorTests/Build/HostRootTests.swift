import Glibc
import TestSupport
import Testing
@testable import Runtime

/// The umask of whoever types `stack` says nothing about what containers see of the host.
@Suite struct HostRootTests {
  @Test func modesAreExactWhateverTheUmask() throws {
    guard geteuid() == 0 else { return }
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/root"
    let outcome = inOwnNamespaces { () -> String in
      umask(0o077)
      do {
        _ = try HostRoot.build(in: path)
        return "done"
      } catch {
        return "\(error)"
      }
    }
    #expect(outcome == "done")
    for name in ["passwd", "group", "shadow"] { #expect(folder.mode("root/etc/\(name)") == 0o644, "\(name)") }
    for (name, _) in HostRoot.files { #expect(folder.mode("root/\(name)") == 0o644, "\(name)") }
    for (name, mode) in HostRoot.folders { #expect(folder.mode("root/\(name)") == mode, "\(name)") }
  }
}
