import Testing
@testable import Orchestrator
@testable import Vocabulary

/// Units of systemd, whose paths somebody else may have chosen.
@Suite struct BootUnitTests {
  private func text(_ path: String) -> String {
    BootCommand.text(
      stack: "shop", program: "/usr/bin/stack", paths: [path], profiles: ["a$b"], environmentFiles: [])
  }

  /// A line of its own would be an order to systemd, as root.
  @Test(arguments: [
    "/srv/a\nExecStartPre=sh/x.stack", "/srv/a\rb.stack", "/srv/\u{1B}[2J.stack", "/srv/a\\/x.stack", "/\u{85}",
  ])
  func pathsWithLineBreaksAreRefused(_ path: String) {
    #expect(throws: StackErrors.self) { try BootCommand.check(path, "shop") }
  }

  @Test(arguments: ["/srv/shop/shop.stack", "/srv/my shop/100%.stack", "/srv/\u{E9}t\u{E9}/\"x\".stack"])
  func otherPathsAreTaken(_ path: String) {
    #expect(throws: Never.self) { try BootCommand.check(path, "shop") }
  }

  @Test func wordsAreQuoted() {
    let unit = text("/srv/my $shop/100%.stack")
    #expect(unit.contains(#"ExecStart=/usr/bin/stack -f "/srv/my $$shop/100%%.stack" -p shop --profile "a$$b" "#))
    #expect(unit.contains(#"RequiresMountsFor="/srv/my $shop/100%%.stack""# + "\n"))
    #expect(unit.contains("WorkingDirectory=/srv/my $shop\n"))
  }

  /// An accent makes one character of a quotation mark and itself. It ends the word all the same.
  @Test func marksWithAccentsAreMarks() {
    func has(_ part: String, in text: String) -> Bool { Array(text.utf8).firstRange(of: Array(part.utf8)) != nil }
    #expect(has("-f \"/srv/x\\\"\u{301} y\"", in: text("/srv/x\"\u{301} y")))
    #expect(has("-f \"/srv/%%\u{301}\"", in: text("/srv/%\u{301}")))
  }
}
