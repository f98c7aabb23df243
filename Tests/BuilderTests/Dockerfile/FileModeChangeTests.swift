import Testing

@testable import Dockerfile

/// Changes of modes by `--chmod`, as chmod(1) makes them.
@Suite struct FileModeChangeTests {
  @Test(arguments: [
    ("755", 0o600, 0o755), ("0644", 0o4711, 0o644), ("4750", 0o600, 0o4750), ("u+x", 0o644, 0o744),
    ("+x", 0o644, 0o755), ("a+x", 0o600, 0o711), ("go-w", 0o666, 0o644), ("go=", 0o755, 0o700),
    ("u=rwx,go=rx", 0o600, 0o755), ("=rw", 0o755, 0o666), ("go=u-w", 0o640, 0o644), ("g=u", 0o741, 0o771),
    ("o=g,g=", 0o750, 0o705), ("u+s", 0o755, 0o4755), ("g+s", 0o755, 0o2755), ("+s", 0o755, 0o6755),
    ("u=rx", 0o4755, 0o555), ("-s", 0o6755, 0o755), ("+t", 0o755, 0o1755), ("u+X", 0o644, 0o644),
    ("u+X", 0o654, 0o754), ("a=rX", 0o700, 0o555), ("u-x+r", 0o300, 0o600),
  ])
  func aFileGets(_ text: String, _ before: UInt32, _ after: UInt32) throws {
    #expect(try #require(FileModeChange(text)).applied(to: before, isFolder: false) == after)
  }

  @Test(arguments: [
    ("a=rX", 0o700, 0o555), ("u=rwX,go=rX", 0o600, 0o755), ("u=rwx", 0o6755, 0o6755), ("-x", 0o755, 0o644),
    ("700", 0o2755, 0o700),
  ])
  func aFolderGets(_ text: String, _ before: UInt32, _ after: UInt32) throws {
    #expect(try #require(FileModeChange(text)).applied(to: before, isFolder: true) == after)
  }

  @Test(arguments: ["", "8", "10000", "u", "u+y", "z+x", "u+x,", ",", "u x", "+x ", "755u", "u++z"])
  func whatIsNoModeIsNone(_ text: String) { #expect(FileModeChange(text) == nil) }
}
