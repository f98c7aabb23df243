import Foundation
import Testing

@Suite struct LicenseTests {
  /// docs/licenses.md and `stack licenses` name what the linker's map of the release names. A debug build is not compared.
  @Test func theDocumentIsWhatIsLinked() throws {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let check = try Subprocess(
      ["\(Repository.root)/tools/licenses", "--check"], environment: ["PATH=\(path)", "HOME=/root"]
    ).wait(limit: .seconds(60))
    #expect(check.status == 0, "\(check.errors)")
  }

  @Test func noticesComeWithTheBinary() throws {
    try ThrowawayHost.with { host in
      let notices = try host.succeed("stack", "licenses")
      #expect(notices.contains("GPL-3.0-or-later") && notices.contains("Apache License 2.0"))
      for name in ["libnftnl", "libseccomp", "libyaml", "libmnl", "swift-argument-parser", "swift-system", "libgcc"] {
        #expect(notices.contains(name), "\(name) is missing")
      }
      let texts = try host.succeed("stack", "licenses", "--full")
      #expect(texts.hasPrefix(notices))
      for line in [
        "Version 3, 29 June 2007", "Version 2.1, February 1999", "Version 2.0, January 2004",
        "Copyright (c) 2006-2016 Kirill Simonov",
        "GCC RUNTIME LIBRARY EXCEPTION", "END OF TERMS AND CONDITIONS",
      ] {
        #expect(texts.contains(line), "\(line) is missing")
      }
    }
  }
}
